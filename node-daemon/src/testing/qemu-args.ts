/** QEMU's JSON as an object: a blank that stands there without quotes, for a value that is no text, gets them. */
export const parsedArg = (text: string): Record<string, unknown> =>
  JSON.parse(text.replaceAll(/:(\{(?:direct|blocksize):[^}]*\})/g, ':"$1"')) as Record<string, unknown>;
