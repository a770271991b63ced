import {describe, expect, test} from '@jest/globals';
import {aLease} from '../testing/leases.ts';
import {type DaemonState, found, isBelieved, isOverdue, isSilent, removed, seen, stateAt} from './sighting.ts';

const first = found(aLease('n1', {renewTime: 'a'}), 1000);
const renewed = seen(first, aLease('n1', {renewTime: 'b'}), 1000);

const states: [sentence: string, sighting: typeof first, now: number, state: DaemonState][] = [
  ['a Lease that was just found says nothing yet', first, 1000, 'unknown'],
  ['nor does it a moment before it would have run out', first, 40_999, 'unknown'],
  ['one that was not renewed for its whole time is silent', first, 41_000, 'silent'],
  ['one that is silent for three times as long is missing', first, 121_000, 'missing'],
  ['a renewal is an answer', renewed, 1000, 'answers'],
  ['and holds for its time', renewed, 40_999, 'answers'],
  ['and no longer', renewed, 41_000, 'silent'],
  ['a Lease that was deleted holds on for its time', removed(renewed), 40_999, 'answers'],
  ['and then its daemon is absent, of which nothing follows', removed(renewed), 41_000, 'absent'],
  ['a Lease that was deleted before it was renewed is absent', removed(first), 1000, 'absent'],
];

test.each(states)('%s', (_sentence, sighting, now, state) => {
  expect(stateAt(sighting, now)).toBe(state);
});

describe('renewals', () => {
  test('what was read again without a change is no renewal', () => {
    expect(seen(renewed, aLease('n1', {renewTime: 'b'}), 30_000)).toBe(renewed);
  });

  test('a clock that goes backwards renews as well as any', () => {
    const back = seen(renewed, aLease('n1', {renewTime: '1999-01-01T00:00:00.000000Z'}), 9000);
    expect(back).toMatchObject({at: 9000, renewed: true});
  });

  test('a Lease that was made again, or by another pod, is renewed', () => {
    expect(seen(renewed, aLease('n1', {renewTime: 'b', uid: 'other'}), 9000)).toMatchObject({at: 9000});
    expect(seen(renewed, aLease('n1', {renewTime: 'b', holder: 'next-pod'}), 9000)).toMatchObject({at: 9000});
    expect(seen(removed(renewed), aLease('n1', {renewTime: 'b'}), 9000)).toMatchObject({at: 9000, present: true});
  });

  test.each([
    [20, 20_000],
    [1, 5000],
    [1_000_000, 300_000],
    [undefined, 5000],
  ])('a Lease of %p s holds %i ms', (seconds, ms) => {
    expect(found(aLease('n1', {seconds}), 0).durationMs).toBe(ms);
  });
});

const late = (now: number, silent: number, all: number): boolean => isBelieved(first, now, silent, all);

describe('when many are silent at once', () => {
  test('one of many is believed at once', () => expect(late(41_000, 1, 10)).toBe(true));
  test('half of them are, too', () => expect(late(41_000, 5, 10)).toBe(true));
  test('most of them are believed only after twice the time', () => {
    expect(late(41_000, 6, 10)).toBe(false);
    expect(late(81_000, 6, 10)).toBe(true);
  });
  test('in a cluster of two nodes there is no most', () => expect(late(41_000, 2, 2)).toBe(true));
});

test('a daemon is overdue when half of its time is over, unless its Lease was deleted', () => {
  expect([20_999, 21_000].map(now => isOverdue(first, now))).toEqual([false, true]);
  expect(isOverdue(removed(first), 41_000)).toBe(false);
});

test('silent and missing daemons are silent, absent and unknown ones are not', () => {
  const all: DaemonState[] = ['absent', 'unknown', 'answers', 'silent', 'missing'];
  expect(all.filter(isSilent)).toEqual(['silent', 'missing']);
});
