import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {chmod, cp, mkdir, mkdtemp, rename, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fingerprint} from './fingerprint.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-fingerprint-'));
  await mkdir(join(folder, 'a/b'), {recursive: true});
  await writeFile(join(folder, 'a/b/text'), 'one');
  await symlink('text', join(folder, 'a/b/link'));
});

afterEach(() => rm(folder, {recursive: true, force: true}));

const of = (name: string, ...values: string[]): Promise<string> => fingerprint({files: [join(folder, name)], values});

test('is twelve hex digits, and the same for the same content', async () => {
  expect(await of('a')).toMatch(/^[0-9a-f]{12}$/);
  expect(await of('a')).toBe(await of('a'));
});

test('does not depend on where the files lie', async () => {
  await cp(join(folder, 'a'), join(folder, 'elsewhere'), {recursive: true, verbatimSymlinks: true});
  expect(await of('elsewhere')).toBe(await of('a'));
});

const changes: [string, () => Promise<unknown>][] = [
  ['the content of a file', () => writeFile(join(folder, 'a/b/text'), 'two')],
  ['the name of a file', () => rename(join(folder, 'a/b/text'), join(folder, 'a/b/other'))],
  ['the executable bit of a file', () => chmod(join(folder, 'a/b/text'), 0o755)],
  ['a new empty folder', () => mkdir(join(folder, 'a/c'))],
  [
    'the target of a link',
    async () => {
      await rm(join(folder, 'a/b/link'));
      await symlink('other', join(folder, 'a/b/link'));
    },
  ],
];

for (const [what, change] of changes) {
  test(`changes with ${what}`, async () => {
    const before = await of('a');
    await change();
    expect(await of('a')).not.toBe(before);
  });
}

test('changes with a value, and with where one value ends and the next begins', async () => {
  const all = await Promise.all([of('a', '1'), of('a', '2'), of('a', 'x', 'yz'), of('a', 'xy', 'z')]);
  expect(new Set(all).size).toBe(4);
});

test('fails for a file that is not there', async () => {
  await expect(of('missing')).rejects.toThrow('ENOENT');
});
