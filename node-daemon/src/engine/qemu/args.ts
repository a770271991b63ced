/** A piece of QEMU's command line. */
export type Args = readonly string[];

/** A value of another type than text that the launcher puts in: it stands there without the quotes of a text. */
const BARE = /"(\{(?:direct:[^"}]*\?true:false|blocksize:[^"}]*)\})"/g;

/** Options in JSON: no quoting of commas, and types that QEMU checks. */
export const json = (option: '-device' | '-blockdev' | '-netdev' | '-object', value: object): Args => [
  option,
  JSON.stringify(value).replaceAll(BARE, '$1'),
];

/** In QEMU's own option syntax a comma in a value is doubled. */
export const escaped = (value: string): string => value.replaceAll(',', ',,');

/** Stands for a descriptor's number in the engine; the launcher fills it in. */
export const descriptor = (name: string): string => `{fd:${name}}`;

/** Stands for one of two words, by whether the file can be read and written without the node's cache. */
export const byDirectIo = (path: string, yes: string, no: string): string => `{direct:${path}?${yes}:${no}}`;

/** Stands for the size in bytes of the blocks of the filesystem that holds the file. */
export const blockSizeOf = (path: string): string => `{blocksize:${path}}`;
