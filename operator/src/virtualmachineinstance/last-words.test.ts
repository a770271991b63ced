import {expect, test} from '@jest/globals';
import {aPod, exited, isRunning} from '../testing/fixtures.ts';
import {LastWords} from './last-words.ts';

test('it remembers how a pod ended that is gone', () => {
  const words = new LastWords();
  const pod = aPod({state: exited(0)});
  words.removed(pod);
  expect(words.of('pod-uid')).toBe(pod);
});

test('a pod that was removed while its container ran leaves no word', () => {
  const words = new LastWords();
  words.removed(aPod({state: isRunning}));
  expect(words.of('pod-uid')).toBeUndefined();
});

test('it forgets the oldest when there are too many', () => {
  const words = new LastWords(2);
  for (const uid of ['one', 'two', 'three']) words.removed(aPod({state: exited(0), metadata: {uid}}));
  expect(['one', 'two', 'three'].map(uid => words.of(uid) !== undefined)).toEqual([false, true, true]);
});
