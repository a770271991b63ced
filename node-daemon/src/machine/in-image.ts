import {unsupportedMachine} from '../errors.ts';

/** A path below an image volume. Admission refuses `..` already; a stored object may be older than that rule. */
export const inImage = (mount: string, path: string): string => {
  const parts = path.split('/').filter(part => part !== '' && part !== '.');
  if (parts.includes('..')) throw unsupportedMachine(`the path ${path} leads out of its image: remove ".." from it`);
  return [mount, ...parts].join('/');
};
