import {accessSync, constants} from 'node:fs';
import {delimiter, join} from 'node:path';
import {SetupError} from './errors.ts';

/**
 * Sees to it that programs are on PATH.
 * @param packages the Debian package of each program.
 * @throws SetupError that names all that are missing, and how to get them.
 */
export function requirePrograms(
  purpose: string,
  packages: Readonly<Record<string, string>>,
  path = process.env['PATH'],
): void {
  const folders = (path ?? '').split(delimiter);
  const missing = Object.keys(packages).filter(program => !folders.some(folder => isExecutable(join(folder, program))));
  if (missing.length === 0) return;
  const install = missing.map(program => packages[program]).join(' ');
  throw new SetupError(`${purpose} needs ${missing.join(', ')}; on Debian: apt-get install ${install}`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
