import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import {PassThrough} from 'node:stream';
import {expect, test} from '@jest/globals';
import {Console} from './console.ts';

/** A terminal with a shell behind it, which shows each line that is typed as `echoes` says before it runs it. */
const terminal = (echoes: (line: string) => string, output: string): Console => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.on('data', (chunk: Buffer) => {
    const line = chunk.toString().trimEnd();
    const mark = /"<""(\w+):/.exec(line)?.[1] ?? '';
    stdout.write(`${echoes(line)}${output}<${mark}:0>\r\n~# `);
  });
  const process = {stdin, stdout, stderr, kill: () => true} as unknown as ChildProcessWithoutNullStreams;
  return new Console(process);
};

test.each<[string, (line: string) => string]>([
  ['once', line => `${line}\r\n`],
  ['once, behind the prompt', line => `~# ${line}\r\n`],
  ['by the terminal, and by the shell once more', line => `${line}\r\n~# ${line}\r\n`],
])('an answer is what was printed, where the line is shown %s', async (_how, echoes) => {
  expect(await terminal(echoes, 'a\r\nb\r\n').shell('cat file')).toBe('a\nb');
  expect(await terminal(echoes, '').shell('true')).toBe('');
});

test('a real shell answers', async () => {
  const sh = spawn('sh', ['-c', 'while read -r line; do echo "$line"; eval "$line"; done']);
  const console = new Console(sh);
  expect(await console.shell('echo one; echo two')).toBe('one\ntwo');
  console.close();
});
