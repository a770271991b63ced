import {beforeEach, expect, test} from '@jest/globals';
import {AgentWatch} from './agent-watch.ts';
import type {AgentFacts} from './status.ts';

const debian: AgentFacts = {os: {id: 'debian'}, interfaceNames: new Map()};

let now = 0;
let answers: number;
let questions: {readonly signal: AbortSignal; readonly answer: (facts: AgentFacts | undefined) => void}[];
let watch: AgentWatch;

beforeEach(() => {
  now = 0;
  answers = 0;
  questions = [];
  watch = new AgentWatch({
    ask: signal => {
      const {promise, resolve} = Promise.withResolvers<AgentFacts | undefined>();
      questions.push({signal, answer: resolve});
      return promise;
    },
    onAnswer: () => answers++,
    monotonic: () => now,
  });
});

const answer = async (facts: AgentFacts | undefined): Promise<void> => {
  questions.at(-1)?.answer(facts);
  await new Promise(resolve => setImmediate(resolve));
};

test('a question holds nobody up, is the only one, and its answer is called out', async () => {
  expect(watch.facts(true)).toBe('asked');
  expect(watch.facts(true)).toBe('asked');
  now = 3_600_000;
  expect(watch.facts(true)).toBe('asked');
  expect(watch.dueMs).toBeUndefined();
  expect(questions).toHaveLength(1);
  await answer(debian);
  expect(answers).toBe(1);
  expect(watch.facts(true)).toBe(debian);
  expect(watch.dueMs).toBe(300_000);
});

test('an agent that does not answer is asked ever more rarely', async () => {
  const waits: (number | undefined)[] = [];
  for (let turn = 0; turn < 7; turn++) {
    watch.facts(true);
    await answer(undefined);
    expect(watch.facts(true)).toBeUndefined();
    waits.push(watch.dueMs);
    now += watch.dueMs ?? 0;
  }
  expect(waits).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
  expect(questions).toHaveLength(7);
});

test('what an agent said counts on while it is asked anew', async () => {
  watch.facts(true);
  await answer(debian);
  now += 300_000;
  expect(watch.facts(true)).toBe(debian);
  expect(questions).toHaveLength(2);
  await answer(undefined);
  expect(watch.facts(true)).toBeUndefined();
});

test('the question ends with the guest, and its answer is nobody’s', async () => {
  watch.facts(true);
  watch.close();
  expect(questions[0]?.signal.aborted).toBe(true);
  await answer(debian);
  expect(answers).toBe(0);
});
