/** How engines call a guest's devices: by what stands in its spec, so that an answer or event of theirs can be told apart. */

/** Followed by the name of the volume. */
export const DISK_PREFIX = 'disk-';
/** Followed by the name of the interface. */
export const CARD_PREFIX = 'net-';
