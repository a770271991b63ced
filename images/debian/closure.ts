import {cp, mkdir, realpath, symlink} from 'node:fs/promises';
import {basename, dirname, join, relative} from 'node:path';
import {run} from '../../scripts/core/command.ts';

/** Where Debian's programs look for libraries, within a tree. */
export const libraries = 'usr/lib/x86_64-linux-gnu';
const loader = 'usr/lib64/ld-linux-x86-64.so.2';

/**
 * Loaded by name at run time, so that no program lists them: glibc wants libgcc_s to end a thread.
 * The package is libgcc-s1.
 */
const loadedByName = [`${libraries}/libgcc_s.so.1`];

export interface ClosureRequest {
  /** Paths within the tree, without a leading slash: they keep their places. */
  readonly programs: readonly string[];
  /** Further files, to where they go in the root. Folders go whole. */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * Copies programs of an unpacked Debian tree, with just the libraries that they load, to a root in which they run: the
 * root of a container without a shell or a package.
 */
export async function copyClosure(tree: string, root: string, {programs, files = {}}: ClosureRequest): Promise<void> {
  await mkdir(join(root, libraries), {recursive: true});
  for (const [link, target] of [
    ['lib', 'usr/lib'],
    ['lib64', 'usr/lib64'],
    ['bin', 'usr/bin'],
    ['sbin', 'usr/sbin'],
  ] as const) {
    await mkdir(join(root, target), {recursive: true});
    await symlink(target, join(root, link));
  }
  const found = await Promise.all(programs.map(program => librariesOf(tree, program)));
  const needed = new Set([...loadedByName, ...found.flat()]);
  await copyFile(join(tree, loader), join(root, loader));
  for (const library of needed) await copyFile(join(tree, library), join(root, libraries, basename(library)));
  for (const program of programs) await copyFile(join(tree, program), join(root, program));
  for (const [from, to] of Object.entries(files)) await copyFile(join(tree, from), join(root, to));
}

/** Paths, within the tree, of every library that a program loads at its start, as its own loader says. */
async function librariesOf(tree: string, program: string): Promise<string[]> {
  const listing = await run(join(tree, loader), [
    '--library-path',
    join(tree, libraries),
    '--list',
    join(tree, program),
  ]);
  return parseListing(listing)
    .filter(path => path.startsWith(`${tree}/`))
    .map(path => relative(tree, path))
    .filter(path => path !== loader);
}

/**
 * The files that the loader's `--list` names.
 * @throws Error that names a library which is not there.
 */
export function parseListing(listing: string): string[] {
  const missing = listing.match(/^\s*(\S+) => not found/m);
  if (missing) throw new Error(`no Debian package that was asked for brings ${missing[1]}: add the one that does`);
  return [...listing.matchAll(/=> (\/\S+)/g)].map(([, path]) => path ?? '');
}

/** Copies what a path stands for, symbolic links followed. */
async function copyFile(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), {recursive: true});
  await cp(await realpath(from), to, {recursive: true});
}
