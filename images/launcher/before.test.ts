import {mkdtempSync, rmSync} from 'node:fs';
import {mkdir, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {LAUNCHER_PROTOCOL} from '../../api/src/wire/launcher.ts';
import {run} from '../../scripts/core/command.ts';
import {commitBefore} from './before.ts';

let checkout: string;
beforeEach(async () => {
  checkout = mkdtempSync(join(tmpdir(), 'wherry-history-'));
  await git('init', '--quiet');
});
afterEach(() => rmSync(checkout, {recursive: true}));

const git = (...args: string[]): Promise<string> =>
  run('git', ['-C', checkout, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);

/** @returns the commit with this version of the protocol, and this further text. */
const commit = async (version: number, more = ''): Promise<string> => {
  const file = join(checkout, 'api/src/wire/launcher.ts');
  await mkdir(dirname(file), {recursive: true});
  await writeFile(file, `export const LAUNCHER_PROTOCOL = ${version};\n${more}`);
  await git('add', '.');
  await git('commit', '--quiet', '--message', `version ${version} ${more}`);
  return (await git('rev-parse', 'HEAD')).trim();
};

test('the launcher of before is of the last commit with the version before', async () => {
  await commit(LAUNCHER_PROTOCOL - 1);
  const last = await commit(LAUNCHER_PROTOCOL - 1, '// changed\n');
  await commit(LAUNCHER_PROTOCOL);
  await commit(LAUNCHER_PROTOCOL, '// changed again\n');
  expect(await commitBefore(checkout)).toBe(last);
});

test('there is none where the history begins with this version, as in a shallow clone', async () => {
  await commit(LAUNCHER_PROTOCOL);
  await commit(LAUNCHER_PROTOCOL, '// changed\n');
  expect(await commitBefore(checkout)).toBeUndefined();
});

test('there is none where there is no history', async () => {
  expect(await commitBefore(checkout)).toBeUndefined();
});
