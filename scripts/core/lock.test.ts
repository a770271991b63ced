import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {withLock} from './lock.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-lock-'));
  file = join(folder, 'sub/lock');
});

afterEach(() => rm(folder, {recursive: true, force: true}));

test('lets one work at a time', async () => {
  const log: string[] = [];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await sleep(20);
    log.push(`${name} ends`);
  };
  await Promise.all([withLock(file, work('a')), withLock(file, work('b'))]);
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

test('lets go when the work fails', async () => {
  await expect(withLock(file, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(existsSync(file)).toBe(false);
});

test('takes over from a holder that died', async () => {
  const dead = spawnSync('true').pid;
  file = join(folder, 'lock');
  await writeFile(file, String(dead));
  expect(await withLock(file, () => Promise.resolve('done'))).toBe('done');
});

test('returns what the work returns', async () => {
  expect(await withLock(file, () => Promise.resolve(7))).toBe(7);
});
