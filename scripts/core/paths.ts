import {homedir} from 'node:os';
import {join, resolve} from 'node:path';

/** The checkout that these scripts lie in. */
export const repository = resolve(import.meta.dirname, '../..');

/** Where everything that can be made again is kept between runs, outside the checkout. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'wherry');
}
