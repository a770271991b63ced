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
  /** Paths within the tree, without a leading slash: they keep their places. No static programs. */
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
  const search = ['--library-path', join(tree, libraries), '--list'];
  return librariesIn(await run(join(tree, loader), [...search, join(tree, program)]), tree);
}

/**
 * The libraries that the loader's `--list` names, as paths within the tree. The loader itself is left out.
 * @throws Error that names a library which the tree lacks, also where the host happens to have it.
 */
export function librariesIn(listing: string, tree: string): string[] {
  const found = [...listing.matchAll(/^\s*(\S+) => (\/\S+|not found)/gm)].map(([, name = '', path = '']) => ({
    name,
    path,
  }));
  const missing = found.find(({path}) => !path.startsWith(`${tree}/`));
  if (missing) throw new Error(`no Debian package that was asked for brings ${missing.name}: add the one that does`);
  return found.map(({path}) => relative(tree, path)).filter(path => path !== loader);
}

/** Copies what a path stands for, symbolic links followed. */
async function copyFile(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), {recursive: true});
  await cp(await realpath(from), to, {recursive: true});
}
