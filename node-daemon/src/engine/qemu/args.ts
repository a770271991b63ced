/** A piece of QEMU's command line. */
export type Args = readonly string[];

/** Options in JSON: no quoting of commas, and types that QEMU checks. */
export const json = (option: '-device' | '-blockdev' | '-netdev' | '-object', value: object): Args => [
  option,
  JSON.stringify(value),
];

/** In QEMU's own option syntax a comma in a value is doubled. */
export const escaped = (value: string): string => value.replaceAll(',', ',,');

/** Stands for a descriptor's number in the engine; the launcher fills it in. */
export const descriptor = (name: string): string => `{fd:${name}}`;
