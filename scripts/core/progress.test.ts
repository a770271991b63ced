import {afterEach, expect, jest, test} from '@jest/globals';
import {progress, seconds, silent} from './progress.ts';

afterEach(() => void jest.useRealTimers());

/** A progress on a clock of its own, and what it wrote. */
function recorded(): {lines: string[]; clock: {now: number}; it: ReturnType<typeof progress>} {
  const lines: string[] = [];
  const clock = {now: 0};
  return {lines, clock, it: progress({write: line => lines.push(line), now: () => clock.now})};
}

test('says what is done, and then how long it took', async () => {
  const {lines, clock, it} = recorded();
  const result = await it.step('build', async () => {
    clock.now = 1234;
    return 'built';
  });
  expect(result).toBe('built');
  expect(lines).toEqual(['▸ build', '✓ build (1.2 s)']);
});

test('says that a step failed, and lets the error through', async () => {
  const {lines, it} = recorded();
  await expect(it.step('build', () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');
  expect(lines.at(-1)).toBe('✗ build failed (0.0 s)');
});

test('a long step says every fifteen seconds what it is at', async () => {
  jest.useFakeTimers();
  const {lines, clock, it} = recorded();
  const done = it.step('build', async say => {
    say('linking');
    clock.now = 15_000;
    await jest.advanceTimersByTimeAsync(15_000);
  });
  await done;
  expect(lines[1]).toBe('  … 15.0 s: linking');
  await jest.advanceTimersByTimeAsync(60_000);
  expect(lines).toHaveLength(3);
});

test('silence does the work and no more', async () => {
  expect(await silent.step('x', () => Promise.resolve(1))).toBe(1);
});

test.each([
  [40, '0.0 s'],
  [99_900, '99.9 s'],
  [100_000, '1 min 40 s'],
  [119_700, '2 min 0 s'],
])('%d ms are %s', (ms, text) => {
  expect(seconds(ms)).toBe(text);
});
