export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** `path` with the parameters that are set; false counts as not set. */
export const withQuery = (path: string, query: Query): string => {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== false) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === '' ? path : `${path}?${text}`;
};
