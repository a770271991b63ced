import {expect, test} from '@jest/globals';
import {run, succeeds} from './command.ts';
import {CommandError} from './errors.ts';

const sh = (script: string, options = {}): Promise<string> => run('sh', ['-c', script], options);

test('returns what the program wrote to stdout, without its last line break', async () => {
  expect(await sh('echo one; echo aside >&2; echo two')).toBe('one\ntwo');
});

test('shows each line as it comes, from both streams', async () => {
  const lines: string[] = [];
  await sh('echo out; echo err >&2', {onLine: (line: string) => lines.push(line)});
  expect(lines.toSorted()).toEqual(['err', 'out']);
});

test('gives the program its input, and an end of input where there is none', async () => {
  expect(await run('cat', [], {input: 'text'})).toBe('text');
  expect(await run('cat', [])).toBe('');
});

test('a program may end without reading its input', async () => {
  expect(await run('true', [], {input: 'x'.repeat(1 << 20)})).toBe('');
});

test('a failure carries the status and the end of the output', async () => {
  const error = await sh('for i in $(seq 100); do echo line $i; done; exit 3').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(CommandError);
  expect(error).toMatchObject({status: 3, output: expect.stringMatching(/^line 61\n[^]*line 100$/)});
});

test('a program that is not there is named', async () => {
  await expect(run('no-such-program', ['--flag'])).rejects.toThrow('no-such-program --flag');
});

test('a program that outlives its time is killed', async () => {
  await expect(run('sleep', ['60'], {signal: AbortSignal.timeout(50)})).rejects.toThrow(CommandError);
});

test('adds to the environment and takes out of it', async () => {
  expect(await sh('echo $A-${HOME-none}', {env: {A: 'a', HOME: undefined}})).toBe('a-none');
});

test('to some callers a failure is an answer', async () => {
  expect(await succeeds('true', [])).toBe(true);
  expect(await succeeds('false', [])).toBe(false);
  expect(await succeeds('no-such-program', [])).toBe(false);
});
