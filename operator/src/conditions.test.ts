import {expect, test} from '@jest/globals';
import {
  type Condition,
  findCondition,
  isFalse,
  isTrue,
  timestamp,
  withCondition,
  withoutCondition,
} from './conditions.ts';

const ready: Condition = {
  type: 'Ready',
  status: 'False',
  reason: 'GuestNotRunning',
  message: 'not yet',
  lastTransitionTime: '2026-01-01T00:00:00Z',
};
const now = Date.parse('2026-01-01T00:01:00.500Z');

test('a timestamp has whole seconds', () => {
  expect(timestamp(now)).toBe('2026-01-01T00:01:00Z');
});

test('a verdict that stands already leaves the very same list', () => {
  const list = [ready];
  expect(
    withCondition(list, {type: 'Ready', status: 'False', reason: 'GuestNotRunning', message: 'not yet'}, now),
  ).toBe(list);
});

test('a new reason keeps the transition time', () => {
  const [next] = withCondition([ready], {type: 'Ready', status: 'False', reason: 'PodTerminating'}, now);
  expect(next).toEqual({
    type: 'Ready',
    status: 'False',
    reason: 'PodTerminating',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
});

test('a new status moves the transition time', () => {
  const [next] = withCondition([ready], {type: 'Ready', status: 'True'}, now);
  expect(next).toEqual({type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:01:00Z'});
});

test('other conditions stay in their place', () => {
  const paused: Condition = {type: 'Paused', status: 'True'};
  expect(withCondition([paused, ready], {type: 'Ready', status: 'True'}, now).map(c => c.type)).toEqual([
    'Paused',
    'Ready',
  ]);
  expect(withCondition([paused], {type: 'Ready', status: 'True'}, now).map(c => c.type)).toEqual(['Paused', 'Ready']);
});

test('removing a condition that is not there changes nothing', () => {
  const list = [ready];
  expect(withoutCondition(list, 'Paused')).toBe(list);
  expect(withoutCondition(list, 'Ready')).toEqual([]);
});

test('an absent condition is neither true nor false', () => {
  expect(isTrue([ready], 'Paused')).toBe(false);
  expect(isFalse([ready], 'Paused')).toBe(false);
  expect(isFalse([ready], 'Ready')).toBe(true);
  expect(isTrue(undefined, 'Ready')).toBe(false);
  expect(findCondition(undefined, 'Ready')).toBeUndefined();
});
