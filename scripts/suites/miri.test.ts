import {chmod, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {underMiri} from './miri.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-miri-'));
});

afterEach(() => rm(folder, {recursive: true, force: true}));

/** A cargo that does this with its arguments. */
const cargo = async (script: string): Promise<string> => {
  const path = join(folder, 'cargo');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
};

test('a toolchain without Miri is one skip that says what is missing', async () => {
  const {passed, failed, skipped} = await underMiri(() => undefined, await cargo('exit 1'));
  expect({passed, failed}).toEqual({passed: 0, failed: []});
  expect(skipped).toEqual([{name: 'Miri', reason: expect.stringContaining('(needs Miri: ')}]);
});

test('so is a machine without cargo', async () => {
  expect((await underMiri(() => undefined, join(folder, 'none'))).skipped).toHaveLength(1);
});

test('tests of all crates are counted, and those that fail bear Miri in their names', async () => {
  const lines: string[] = [];
  const output = ['test frame::keeps ... FAILED', 'test result: FAILED. 2 passed; 1 failed; 0 ignored;'].join('\\n');
  const script = `[ "$3" = --version ] || { printf '${output}\\n'; case "$*" in *launcher*) exit 1;; esac; }`;
  const result = await underMiri(line => lines.push(line), await cargo(script));
  expect(result).toEqual({
    passed: 4,
    failed: ['frame::keeps under Miri', 'frame::keeps under Miri'],
    skipped: [],
  });
  expect(lines).toHaveLength(4);
});

test('a crate that does not build under Miri is a failure', async () => {
  const {failed} = await underMiri(() => undefined, await cargo('[ "$3" = --version ]'));
  expect(failed.every(name => name.endsWith('under Miri'))).toBe(true);
  expect(failed).toHaveLength(2);
});
