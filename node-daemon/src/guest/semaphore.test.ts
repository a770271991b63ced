import {expect, test} from '@jest/globals';
import {Semaphore} from './semaphore.ts';

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

test('so many work at once, and the others in the order of their coming', async () => {
  const semaphore = new Semaphore(2);
  const ends: (() => void)[] = [];
  const begun: number[] = [];
  const all = [0, 1, 2, 3].map(number =>
    semaphore.run(async () => {
      begun.push(number);
      const {promise, resolve} = Promise.withResolvers<void>();
      ends[number] = resolve;
      await promise;
      return number;
    }),
  );
  await turn();
  expect(begun).toEqual([0, 1]);
  ends[1]?.();
  await turn();
  expect(begun).toEqual([0, 1, 2]);
  ends[0]?.();
  ends[2]?.();
  await turn();
  ends[3]?.();
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
});

test('work that fails leaves its place to others', async () => {
  const semaphore = new Semaphore(1);
  await expect(semaphore.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(semaphore.run(async () => 'yes')).resolves.toBe('yes');
});
