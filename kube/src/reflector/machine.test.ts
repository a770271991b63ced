import {expect, test} from '@jest/globals';
import {ApiError, StaleCacheError, TransportError} from '../errors.ts';
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
const failed = (error: unknown, lastedMs = 0): Input<ConfigMap> => ({type: 'failed', error, lastedMs});
const ended = (lastedMs = 240_000): Input<ConfigMap> => ({type: 'ended', lastedMs});
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
  expect(after(page('a'), added, ended())[1]).toEqual([{do: 'watch', resourceVersion: '11'}]);
});

test('a bookmark moves the place from which a watch is resumed', () => {
  const bookmark: Input<ConfigMap> = {
    type: 'event',
    event: {type: 'BOOKMARK', resourceVersion: '99'},
    resourceVersion: '99',
  };
  expect(after(page('a'), bookmark, ended())[1]).toEqual([{do: 'watch', resourceVersion: '99'}]);
});

test.each([
  ['a broken connection', reset],
  ['a server in trouble', new ApiError(503, {}, {call: 'watch'})],
  ['an error of no known kind', 'nonsense'],
])('%s resumes the watch without a new list', (_, error) => {
  expect(after(page('a'), added, failed(error), waited)[1]).toEqual([{do: 'watch', resourceVersion: '11'}]);
});

test.each([
  ['a version that the server has forgotten', gone],
  ['a forgotten version that is told without a code', new ApiError(500, {reason: 'Expired'}, {call: 'watch'})],
  ['a version that the server does not take', new ApiError(400, {reason: 'BadRequest'}, {call: 'watch'})],
  ['a kind that is not served', new ApiError(404, {}, {call: 'watch'})],
  ['a watch that does not bring own writes', new StaleCacheError('configmaps', 'default/a', 10_000)],
])('%s costs a new list', (_, error) => {
  expect(after(page('a'), failed(error), waited)[1]).toEqual([{do: 'list', token: undefined}]);
});

const failures = (...inputs: Input<ConfigMap>[]): number | undefined => {
  const [, effects] = after(...inputs);
  const [effect] = effects;
  return effect?.do === 'wait' ? effect.failures : undefined;
};

test('failures in a row are counted, and a watch that lasted forgets them', () => {
  expect(failures(failed(reset))).toBe(1);
  expect(failures(failed(reset), waited, failed(reset))).toBe(2);
  expect(failures(page('a'), failed(reset), waited, failed(reset))).toBe(2);
  expect(failures(page('a'), failed(reset), waited, failed(reset, 60_000))).toBe(1);
  expect(failures(page('a'), failed(reset), waited, ended(), failed(reset))).toBe(1);
});

test.each([
  ['each watch after a list', [page('a'), failed(gone), waited]],
  ['each watch after one event', [page('a'), added, failed(gone), waited]],
])('a server that forgets %s is asked later and later, not for list after list', (_, round) => {
  expect(failures(...round, ...round, ...round, page('a'), failed(gone))).toBe(4);
});

test('a server that is back and has forgotten the version is listed at once, however long it was away', () => {
  const away = [failed(reset), waited, failed(reset), waited, failed(reset), waited];
  expect(failures(page('a'), ...away, failed(gone))).toBe(1);
  expect(failures(page('a'), ...away, failed(gone), waited, page('b'), failed(gone))).toBe(2);
});

test('a server that ends each watch at once, after an event or none, is asked later and later', () => {
  expect(failures(page('a'), ended(10))).toBe(1);
  expect(failures(page('a'), ended(10), waited, added, ended(10))).toBe(2);
  expect(after(page('a'), added, ended(10), waited)[1]).toEqual([{do: 'watch', resourceVersion: '11'}]);
});

test('the wait that the server asks for is passed on', () => {
  expect(after(failed(busy))[1]).toEqual([{do: 'wait', failures: 1, retryAfterMs: 7000}]);
});

test('an input that was not asked for is a bug that is told', () => {
  expect(() => step(start<ConfigMap>()[0], ended())).toThrow("a reflector that is Listing was told 'ended'");
});

test('the back-off doubles from 100 ms to 5 s, half to one and a half of it', () => {
  expect([1, 2, 3].map(failures => backOffMs(failures, () => 0.5))).toEqual([100, 200, 400]);
  expect(backOffMs(1000, () => 0.5)).toBe(5000);
  expect([backOffMs(1, () => 0), backOffMs(1, () => 0.999)]).toEqual([50, expect.closeTo(149.9)]);
});

test('the time that a server asks for is waited, not all at one moment, and within reason', () => {
  expect(backOffMs(1, () => 0, 7000)).toBe(7000);
  expect(backOffMs(1, () => 0.8, 7000)).toBe(8400);
  expect(backOffMs(1, () => 0, 86_400_000)).toBe(30_000);
});
