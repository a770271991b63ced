import {mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {copyClosure, libraries, librariesIn} from './closure.ts';

const listing = (...lines: readonly string[]): string => lines.map(line => `\t${line}`).join('\n');

test('takes the libraries that the loader found, and not the loader', () => {
  const text = listing(
    'linux-vdso.so.1 (0x00007fff)',
    'libz.so.1 => /tree/usr/lib/x86_64-linux-gnu/libz.so.1 (0x00007f01)',
    '/lib64/ld-linux-x86-64.so.2 => /tree/usr/lib64/ld-linux-x86-64.so.2 (0x00007f02)',
  );
  expect(librariesIn(text, '/tree')).toEqual(['usr/lib/x86_64-linux-gnu/libz.so.1']);
});

test.each([
  ['nowhere', 'libatomic.so.1 => not found'],
  ['only on the host', 'libatomic.so.1 => /lib/x86_64-linux-gnu/libatomic.so.1 (0x00007f01)'],
])('names a library that is %s', (_, line) => {
  expect(() => librariesIn(listing(line), '/tree')).toThrow('brings libatomic.so.1');
});

let scratch: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'closure-'));
});
afterEach(() => rm(scratch, {recursive: true}));

/** A tree whose loader is a script that lists one library for whatever program it is asked about. */
async function makeTree(): Promise<string> {
  const tree = join(scratch, 'tree');
  for (const folder of [libraries, 'usr/bin', 'usr/lib64', 'usr/share/seabios']) {
    await mkdir(join(tree, folder), {recursive: true});
  }
  const script = `#!/bin/sh\necho "libz.so.1 => $2/libz.so.1 (0x1)"\n`;
  await writeFile(join(tree, 'usr/lib64/ld-linux-x86-64.so.2'), script, {mode: 0o755});
  await writeFile(join(tree, libraries, 'libz.so.1.3'), 'zlib');
  await symlink('libz.so.1.3', join(tree, libraries, 'libz.so.1'));
  await writeFile(join(tree, libraries, 'libgcc_s.so.1'), 'libgcc');
  await writeFile(join(tree, 'usr/bin/tool'), 'tool', {mode: 0o755});
  await writeFile(join(tree, 'usr/bin/other'), 'other');
  await writeFile(join(tree, 'usr/share/seabios/bios.bin'), 'bios');
  return tree;
}

test('a root gets the program, its libraries under the names that it loads them by, and no other program', async () => {
  const root = join(scratch, 'root');
  await copyClosure(await makeTree(), root, {programs: ['usr/bin/tool']});
  expect(await readFile(join(root, libraries, 'libz.so.1'), 'utf8')).toBe('zlib');
  expect(await readFile(join(root, libraries, 'libgcc_s.so.1'), 'utf8')).toBe('libgcc');
  expect(await readdir(join(root, 'usr/bin'))).toEqual(['tool']);
  expect(await readlink(join(root, 'lib64'))).toBe('usr/lib64');
});

test('further files go where they are wanted', async () => {
  const root = join(scratch, 'root');
  const files = {'usr/share/seabios/bios.bin': 'usr/share/qemu/bios.bin'};
  await copyClosure(await makeTree(), root, {programs: [], files});
  expect(await readFile(join(root, 'usr/share/qemu/bios.bin'), 'utf8')).toBe('bios');
});
