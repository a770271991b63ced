import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {systemClock} from '@wherry/kube';
import {DaemonError} from '../errors.ts';
import {Pulse} from './pulse.ts';

const silence = new DaemonError('TIMED_OUT', 'no answer in time');
const cut = new DaemonError('CONNECTION_CLOSED', 'the launcher closed its connection');

/** What the pulse waits for now, and how long each wait was. */
let due: (() => void) | undefined;
let waits: number[];
let asked: number;
let changes: boolean[];
let answer: () => Promise<unknown>;
let pulse: Pulse;
beforeEach(() => {
  due = undefined;
  waits = [];
  asked = 0;
  changes = [];
  answer = async () => ({});
  pulse = new Pulse({
    ask: () => {
      asked++;
      return answer();
    },
    onChange: () => changes.push(pulse.answers),
    clock: {
      ...systemClock,
      schedule: (ms, run) => {
        waits.push(ms);
        due = run;
        return () => (due = undefined);
      },
    },
  });
  pulse.start();
});
afterEach(() => pulse.close());

/** Lets so many waits end, each with what follows from it. */
const beats = async (count: number): Promise<void> => {
  for (let beat = 0; beat < count; beat++) {
    due?.();
    await new Promise(resolve => setImmediate(resolve));
  }
};

test('an engine that answers is asked every ten seconds, and nothing is said', async () => {
  await beats(3);
  expect(waits).toEqual([10_000, 10_000, 10_000, 10_000]);
  expect(asked).toBe(3);
  expect(changes).toEqual([]);
});

test('an engine that misses one answer is only busy', async () => {
  answer = () => Promise.reject(silence);
  await beats(1);
  answer = async () => ({});
  await beats(1);
  expect(pulse.answers).toBe(true);
  expect(changes).toEqual([]);
});

test('an engine that misses two hangs, is asked more often, and is well when it answers', async () => {
  answer = () => Promise.reject(silence);
  await beats(4);
  expect(changes).toEqual([false]);
  expect(waits).toEqual([10_000, 2000, 2000, 2000, 2000]);
  answer = async () => ({});
  await beats(1);
  expect(changes).toEqual([false, true]);
});

test('a connection that ends says nothing about the engine', async () => {
  answer = () => Promise.reject(cut);
  await beats(5);
  expect(pulse.answers).toBe(true);
  answer = () => Promise.reject(silence);
  await beats(2);
  answer = () => Promise.reject(cut);
  await beats(2);
  expect(changes).toEqual([false]);
});

test('nobody is asked once it is closed, nor told of the last answer', async () => {
  answer = () => {
    pulse.close();
    return Promise.reject(silence);
  };
  await beats(1);
  await beats(1);
  expect(asked).toBe(1);
  expect(changes).toEqual([]);
});

test('starting twice asks no more than once', async () => {
  pulse.start();
  await beats(1);
  expect(asked).toBe(1);
});
