import {expect, test} from '@jest/globals';
import type {Guest} from './guest.ts';
import type {StepResult} from './report.ts';
import {tell} from './runner.ts';
import type {Story} from './story.ts';

/** Tells a story on a stage where guests are but names, and says what was reported and which guests were there. */
const told = async (story: Partial<Story> & Pick<Story, 'steps'>) => {
  const results: StepResult[] = [];
  const guests: string[] = [];
  const stage = {
    subject: {engine: 'qemu', accelerator: 'kvm'} as const,
    guest: async (name: string) => {
      guests.push(`+${name}`);
      return {name, pod: {console: 'its console'}} as unknown as Guest;
    },
    remove: async ({name}: Guest) => void guests.push(`-${name}`),
  };
  await tell({name: 'A guest of 2', ...story}, stage, result => results.push(result));
  return {guests, results};
};

const outcomes = (results: readonly StepResult[]) => results.map(({step, outcome}) => `${step} ${outcome}`);
const passes = (name: string) => ({name, run: async () => {}});
const fails = (name: string) => ({name, run: () => Promise.reject(new Error('it is not so'))});

test('a story has one guest, and its steps pass one after the other', async () => {
  const {guests, results} = await told({steps: [passes('one'), passes('two')]});
  expect(outcomes(results)).toEqual(['one passed', 'two passed']);
  expect(guests).toEqual(['+a-guest-of-2', '-a-guest-of-2']);
});

test('a step that fails says why, with the guest’s console; those after it are not reached', async () => {
  const {guests, results} = await told({steps: [passes('one'), fails('two'), passes('three')]});
  expect(outcomes(results)).toEqual(['one passed', 'two failed', 'three failed']);
  expect(results[1]?.reason).toBe('it is not so\nits console');
  expect(results[2]?.reason).toBe('not reached, for “two” failed');
  expect(guests.at(-1)).toBe('-a-guest-of-2');
});

test('a story that needs what the subject lacks is skipped, without a guest', async () => {
  const {guests, results} = await told({lacks: ({engine}) => `another engine than ${engine}`, steps: [fails('one')]});
  expect(results).toMatchObject([{outcome: 'skipped', reason: 'needs another engine than qemu'}]);
  expect(guests).toEqual([]);
});
