/** Finds and loads the library. */

import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import type {Host} from './host.ts';
import {openLibrary} from './library.ts';
import {NativeHost} from './native-host.ts';

/** Where a checkout has it, best first. A bundle has none of these: its image sets WHERRY_NATIVE_LIB. */
const besideThePackage = (): readonly string[] =>
  ['release', 'debug'].map(profile => fileURLToPath(new URL(`../../target/${profile}/libwherry.so`, import.meta.url)));

/** The library's path: WHERRY_NATIVE_LIB, else the newest profile that was built in this checkout, else where it would be. */
export const libraryPath = (
  env: Readonly<Record<string, string | undefined>> = process.env,
  candidates: readonly string[] = besideThePackage(),
): string => env['WHERRY_NATIVE_LIB'] || (candidates.find(path => existsSync(path)) ?? candidates[0] ?? 'libwherry.so');

/**
 * Loads `libwherry.so` and checks that it was built from this version of the package.
 * @param path Defaults to `libraryPath()`.
 * @throws LibraryMissing, LibraryMismatch
 */
export const loadHost = (path: string = libraryPath()): Host => new NativeHost(openLibrary(path));
