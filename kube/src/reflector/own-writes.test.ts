import {beforeEach, expect, test} from '@jest/globals';
import type {ConfigMap} from '../objects.ts';
import {ManualClock} from '../testing/manual-clock.ts';
import {aConfigMap} from '../testing/objects.ts';
import {OwnWrites} from './own-writes.ts';

let clock: ManualClock;
/** What the cache holds, and how far it has come. */
let held: Map<string, ConfigMap>;
let version: string | undefined;
let writes: OwnWrites<ConfigMap>;
let told: string[];

beforeEach(() => {
  clock = new ManualClock();
  held = new Map();
  version = '10';
  told = [];
  writes = new OwnWrites(clock, {get: ({name}) => held.get(name), resourceVersion: () => version});
  writes.onChange(({type, object}) => told.push(`${type} ${object.metadata.name} ${object.metadata.resourceVersion}`));
});

const key = {namespace: 'default', name: 'a'};
const stored = (resourceVersion: string): void =>
  writes.note({type: 'stored', object: aConfigMap('a', {resourceVersion})});
const removed = (uid?: string): void => writes.note({type: 'removed', key, uid});
const advance = (to: string): void => {
  version = to;
  writes.advance();
};

test.each([
  ['an older version', '9', true],
  ['its own version', '10', true],
  ['a later version', '11', false],
  ['a version of more digits', '100', false],
])('a write of %s than the cache has come to: current is %s', (_, written, current) => {
  stored(written);
  expect(writes.isCurrent(key)).toBe(current);
});

test('before its first list, a cache is behind every write', () => {
  version = undefined;
  stored('1');
  expect(writes.isCurrent(key)).toBe(false);
  advance('1');
  expect(writes.isCurrent(key)).toBe(true);
});

test('of several writes to one object the newest counts, in whatever order their answers come', () => {
  stored('12');
  stored('14');
  stored('13');
  advance('13');
  expect(writes.isCurrent(key)).toBe(false);
  advance('14');
  expect(writes.isCurrent(key)).toBe(true);
  expect(told).toEqual(['unseen a 12', 'unseen a 14', 'seen a 12', 'seen a 14']);
});

test('an object that was deleted is awaited to go, and its successor of the name is not', () => {
  held.set('a', aConfigMap('a', {uid: 'one'}));
  removed('one');
  expect(writes.isCurrent(key)).toBe(false);
  held.set('a', aConfigMap('a', {uid: 'two'}));
  advance('11');
  expect(writes.isCurrent(key)).toBe(true);
});

test('an object that the cache does not hold, or holds another of, is not awaited to go', () => {
  removed('one');
  expect(writes.isCurrent(key)).toBe(true);
  held.set('a', aConfigMap('a', {uid: 'two'}));
  removed('one');
  expect(writes.isCurrent(key)).toBe(true);
});

test('an object that was found gone is awaited to go, whichever the cache holds', () => {
  held.set('a', aConfigMap('a'));
  removed();
  expect(writes.isCurrent(key)).toBe(false);
  held.clear();
  advance('10');
  expect(writes.isCurrent(key)).toBe(true);
});

test('a listener that comes late is told what is unseen', () => {
  stored('12');
  const late: string[] = [];
  writes.onChange(({type}) => late.push(type));
  expect(late).toEqual(['unseen']);
});

test('the write that has waited longest is known; what moves on does not grow old', async () => {
  expect(writes.oldest).toBeUndefined();
  stored('12');
  await clock.advance(3000);
  stored('13');
  writes.note({type: 'stored', object: aConfigMap('b', {resourceVersion: '14'})});
  await clock.advance(1000);
  expect(writes.oldest).toEqual({key: 'default/a', waitedMs: 4000});
  advance('12');
  await clock.advance(500);
  expect(writes.oldest).toEqual({key: 'default/b', waitedMs: 1500});
});

test('a list that began after a write has seen it, whatever the versions say', async () => {
  version = '5000';
  stored('5001');
  await clock.advance(10);
  version = '7';
  writes.advance(clock.monotonic() - 10);
  expect(writes.isCurrent(key)).toBe(false);
  writes.advance(clock.monotonic());
  expect(writes.isCurrent(key)).toBe(true);
});
