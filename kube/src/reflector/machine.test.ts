import {expect, test} from '@jest/globals';
import {ApiError, TransportError} from '../errors.ts';
import type {ConfigMap} from '../objects.ts';
import {aConfigMap} from '../testing/objects.ts';
import {backOffMs, type Effect, type Input, start, type State, step} from './machine.ts';

const gone = new ApiError(410, {reason: 'Expired'}, {call: 'watch'});
const busy = new ApiError(429, {}, {call: 'list', retryAfterMs: 7000});
const reset = new TransportError('watch', new Error('ECONNRESET'));

const page = (name: string, token?: string): Input<ConfigMap> => ({
  type: 'page',
  items: [aConfigMap(name)],
  resourceVersion: '10',
  token,
});
const added: Input<ConfigMap> = {
  type: 'event',
  event: {type: 'ADDED', object: aConfigMap('c', {resourceVersion: '11'})},
  resourceVersion: '11',
};
const failed = (error: unknown): Input<ConfigMap> => ({type: 'failed', error});
const waited: Input<ConfigMap> = {type: 'waited'};

/** The state after these inputs, and what the last of them asked for. */
const after = (...inputs: Input<ConfigMap>[]): readonly [State, readonly Effect<ConfigMap>[]] => {
  let [state, effects] = start<ConfigMap>();
  for (const input of inputs) [state, effects] = step(state, input);
  return [state, effects];
};

test('nothing is replaced before the last page is in', () => {
  expect(after(page('a', 'more'))[1]).toEqual([
    {do: 'stage', items: [aConfigMap('a')]},
    {do: 'list', token: 'more'},
  ]);
  expect(after(page('a', 'more'), page('b'))[1]).toEqual([
    {do: 'stage', items: [aConfigMap('b')]},
    {do: 'commit', resourceVersion: '10'},
    {do: 'watch', resourceVersion: '10'},
  ]);
});

test('a list that fails between pages begins anew, which voids what was staged', () => {
  const [, effects] = after(page('a', 'more'), failed(gone), waited);
  expect(effects).toEqual([{do: 'list', token: undefined}]);
});

test('a watch that the server ended is resumed at once where it was', () => {
  expect(after(page('a'), added, {type: 'ended'})[1]).toEqual([{do: 'watch', resourceVersion: '11'}]);
});

test('a bookmark moves the place from which a watch is resumed', () => {
  const bookmark: Input<ConfigMap> = {
    type: 'event',
    event: {type: 'BOOKMARK', resourceVersion: '99'},
    resourceVersion: '99',
  };
  expect(after(page('a'), bookmark, {type: 'ended'})[1]).toEqual([{do: 'watch', resourceVersion: '99'}]);
});

test.each([
  ['a broken connection', reset],
  ['a server in trouble', new ApiError(503, {}, {call: 'watch'})],
  ['an error of no known kind', 'nonsense'],
])('%s resumes the watch without a new list', (_, error) => {
  expect(after(page('a'), added, failed(error), waited)[1]).toEqual([{do: 'watch', resourceVersion: '11'}]);
});

test('a version that the server has forgotten costs a new list', () => {
  expect(after(page('a'), failed(gone), waited)[1]).toEqual([{do: 'list', token: undefined}]);
});

const failures = (...inputs: Input<ConfigMap>[]): number | undefined => {
  const [, effects] = after(...inputs);
  const [effect] = effects;
  return effect?.do === 'wait' ? effect.failures : undefined;
};

test('failures in a row are counted, and one success forgets them', () => {
  expect(failures(failed(reset))).toBe(1);
  expect(failures(failed(reset), waited, failed(reset))).toBe(2);
  expect(failures(page('a'), failed(reset), waited, failed(reset))).toBe(2);
  expect(failures(page('a'), failed(reset), waited, added, failed(reset))).toBe(1);
});

test('the wait that the server asks for is passed on', () => {
  expect(after(failed(busy))[1]).toEqual([{do: 'wait', failures: 1, retryAfterMs: 7000}]);
});

test('an input that was not asked for is a bug that is told', () => {
  expect(() => step(start<ConfigMap>()[0], {type: 'ended'})).toThrow("a reflector that is Listing was told 'ended'");
});

test('the back-off doubles from 100 ms to 30 s, half to one and a half of it', () => {
  expect([1, 2, 3].map(failures => backOffMs(failures, () => 0.5))).toEqual([100, 200, 400]);
  expect(backOffMs(1000, () => 0.5)).toBe(30_000);
  expect([backOffMs(1, () => 0), backOffMs(1, () => 0.999)]).toEqual([50, expect.closeTo(149.9)]);
});
