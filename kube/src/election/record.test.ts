import {expect, test} from '@jest/globals';
import {isHeld, observe, released, taken} from './record.ts';

const key = {namespace: 'wherry', name: 'operator'};
const claim = (identity: string, time: string) => ({identity, durationMs: 15_000, now: new Date(time)});
const first = taken(key, undefined, claim('a', '2026-01-01T00:00:00Z'));

test('a new lease is acquired and renewed now, with microseconds as the API wants them', () => {
  expect(first.metadata).toEqual(key);
  expect(first.spec).toEqual({
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:00.000000Z',
    leaseTransitions: 0,
  });
});

test('a renewal keeps the time of acquisition and counts no transition', () => {
  expect(taken(key, first, claim('a', '2026-01-01T00:00:02Z')).spec).toMatchObject({
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:02.000000Z',
    leaseTransitions: 0,
  });
});

test('a take-over counts a transition, and keeps the resourceVersion that guards it', () => {
  const stored = {...first, metadata: {...first.metadata, resourceVersion: '7'}};
  const over = taken(key, stored, claim('b', '2026-01-01T00:01:00Z'));
  expect(over.spec).toMatchObject({
    holderIdentity: 'b',
    acquireTime: '2026-01-01T00:01:00.000000Z',
    leaseTransitions: 1,
  });
  expect(over.metadata.resourceVersion).toBe('7');
});

test('a released lease is held by nobody', () => {
  const free = released(first, new Date());
  expect(isHeld(observe(undefined, free, 0), 0)).toBe(false);
});

test('a lease is held for its duration after its record was last seen to change, whatever its times say', () => {
  const stored = {...first, metadata: {...first.metadata, resourceVersion: '7'}};
  const seen = observe(undefined, stored, 1000);
  const again = observe(seen, stored, 9000);
  expect(isHeld(again, 15_999)).toBe(true);
  expect(isHeld(again, 16_000)).toBe(false);
  const renewed = observe(again, {...stored, metadata: {...stored.metadata, resourceVersion: '8'}}, 9000);
  expect(isHeld(renewed, 16_000)).toBe(true);
});
