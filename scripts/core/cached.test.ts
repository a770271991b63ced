import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {cachedFolder} from './cached.ts';

let parent: string;
let made: number;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'wherry-cached-'));
  made = 0;
});

afterEach(() => rm(parent, {recursive: true, force: true}));

const key = (n: number): string => n.toString(16).padStart(12, '0');

const get = (n = 1): Promise<string> =>
  cachedFolder(parent, 'thing', key(n), async folder => {
    made++;
    await sleep(20);
    await writeFile(join(folder, 'content'), String(n));
  });

test('makes a folder once', async () => {
  const folder = await get();
  expect(await get()).toBe(folder);
  expect(made).toBe(1);
  expect(await readFile(join(folder, 'content'), 'utf8')).toBe('1');
});

test('makes it once when two want it at the same time', async () => {
  await Promise.all([get(), get()]);
  expect(made).toBe(1);
});

test('leaves nothing that looks whole when the making fails, and tries again', async () => {
  const failing = cachedFolder(parent, 'thing', key(1), async folder => {
    await writeFile(join(folder, 'half'), '');
    throw new Error('interrupted');
  });
  await expect(failing).rejects.toThrow('interrupted');
  expect(await readdir(await get())).toEqual(['content']);
});

test('keeps the latest three versions', async () => {
  for (const n of [1, 2, 3, 4]) {
    await get(n);
    await sleep(10);
  }
  expect((await readdir(parent)).toSorted()).toEqual([2, 3, 4].map(n => `thing-${key(n)}`));
});
