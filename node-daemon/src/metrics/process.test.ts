import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {expect, test} from '@jest/globals';
import {cpuTimes, engineProcess, innerPid, processUse, residentBytes, threadTimes} from './process.ts';

test('times are read behind the program’s name, whatever that is', () => {
  const stat = '42 (q (e) mu) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 4 0 100';
  expect(cpuTimes(stat)).toEqual({userSeconds: 2.5, systemSeconds: 0.5});
});

test('the number inside the pod is the last one', () => {
  expect(innerPid('Name:\tqemu\nNSpid:\t4711\t12\nVmRSS:\t 2048 kB\n')).toBe(12);
  expect(innerPid('Name:\tqemu\n')).toBeUndefined();
  expect(residentBytes('VmRSS:\t    2048 kB\n')).toBe(2048 * 1024);
});

test('a process that lives has times and memory, and one that is gone has none', async () => {
  const use = await processUse(process.pid);
  expect(use?.userSeconds).toBeGreaterThan(0);
  expect(use?.residentBytes).toBeGreaterThan(1024 * 1024);
  expect((await threadTimes(process.pid)).get(process.pid)?.userSeconds).toBeGreaterThan(0);
  expect(await processUse(2 ** 22 + 1)).toBeUndefined();
  expect(await threadTimes(2 ** 22 + 1)).toEqual(new Map());
});

test('the engine is looked for among the launcher’s children alone', async () => {
  const child = spawn('sleep', ['60']);
  await once(child, 'spawn');
  try {
    expect(await engineProcess(process.pid, child.pid ?? 0)).toBe(child.pid);
    expect(await engineProcess(process.pid, process.pid)).toBeUndefined();
    expect(await engineProcess(child.pid ?? 0, process.pid)).toBeUndefined();
  } finally {
    child.kill('SIGKILL');
  }
});
