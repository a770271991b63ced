/** The part of a schema that fills in what is missing. */
export interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly default?: unknown;
}

/** The value as an API server would store it: with the defaults of all fields whose parents are there. */
export const withDefaults = (schema: Schema, value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(item => withDefaults(schema.items ?? {}, item));
  if (typeof value !== 'object' || value === null) return value;
  const filled: Record<string, unknown> = {...value};
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    if (filled[name] === undefined && field.default !== undefined) filled[name] = field.default;
    if (filled[name] !== undefined) filled[name] = withDefaults(field, filled[name]);
  }
  return filled;
};
