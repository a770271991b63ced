import {mkdir, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {differences, write} from './files.ts';
import {type Generator, MARKER} from './generator.ts';

let repository: string;
beforeEach(async () => {
  repository = await mkdtemp(join(tmpdir(), 'wherry-generate-'));
});
afterEach(() => rm(repository, {recursive: true}));

const generator = (files: Record<string, string>): Generator => ({
  name: 'test',
  folders: ['out'],
  produce: async () => new Map(Object.entries(files)),
});

const put = async (path: string, text: string): Promise<void> => {
  await mkdir(join(repository, path, '..'), {recursive: true});
  await writeFile(join(repository, path), text);
};

const one = generator({'out/one.yaml': `# ${MARKER}\none\n`});

test('a file that is not there is missing, and is written with its folder', async () => {
  expect(await differences(repository, one)).toEqual([{path: 'out/one.yaml', state: 'missing'}]);
  expect(await write(repository, one)).toEqual([{path: 'out/one.yaml', state: 'missing'}]);
  expect(await readFile(join(repository, 'out/one.yaml'), 'utf8')).toBe(`# ${MARKER}\none\n`);
  expect(await differences(repository, one)).toEqual([]);
});

test('a file that was edited is stale, and a check leaves it as it is', async () => {
  await put('out/one.yaml', `# ${MARKER}\nedited\n`);
  expect(await differences(repository, one)).toEqual([{path: 'out/one.yaml', state: 'stale'}]);
  expect(await readFile(join(repository, 'out/one.yaml'), 'utf8')).toContain('edited');
  await write(repository, one);
  expect(await readFile(join(repository, 'out/one.yaml'), 'utf8')).toContain('one');
});

test('a generated file that nothing generates any more is removed, and one that a person wrote is kept', async () => {
  await write(repository, one);
  await put('out/old.yaml', `# ${MARKER}\nold\n`);
  await put('out/by-hand.yaml', 'mine\n');
  expect(await differences(repository, one)).toEqual([{path: 'out/old.yaml', state: 'left over'}]);
  await write(repository, one);
  await expect(readFile(join(repository, 'out/old.yaml'))).rejects.toMatchObject({code: 'ENOENT'});
  expect(await readFile(join(repository, 'out/by-hand.yaml'), 'utf8')).toBe('mine\n');
});

test('nothing is written where nothing differs', async () => {
  await write(repository, one);
  expect(await write(repository, one)).toEqual([]);
});
