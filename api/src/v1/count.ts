/** CEL: exactly one (or at most one) of these optional fields is set. */
export const count = (fields: readonly string[]): string =>
  `[${fields.map(field => `has(self.${field})`).join(', ')}].filter(given, given).size()`;
