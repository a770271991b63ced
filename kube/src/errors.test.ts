import {expect, test} from '@jest/globals';
import {ApiError, isConflict, KubeError, LeaseLostError, SyncTimeoutError, TerminalError} from './errors.ts';

const refused = (status: number, reason = ''): ApiError => new ApiError(status, {reason}, {call: 'GET /x'});

test.each([
  ['a missing object', refused(404, 'NotFound'), {isNotFound: true}],
  ['a kind that is not served, which is not a missing object', refused(404), {}],
  ['an object that changed meanwhile', refused(409, 'Conflict'), {isConflict: true}],
  ['a name that is taken', refused(409, 'AlreadyExists'), {isAlreadyExists: true}],
  ['a version that is forgotten', refused(410, 'Expired'), {isGone: true}],
  ['too many requests', refused(429), {isRetryable: true}],
  ['a server in trouble', refused(503), {isRetryable: true}],
  ['a forbidden call', refused(403, 'Forbidden'), {}],
])('%s is told apart', (_, error, expected) => {
  const {isNotFound, isConflict, isAlreadyExists, isGone, isRetryable} = error;
  const none = {isNotFound: false, isConflict: false, isAlreadyExists: false, isGone: false, isRetryable: false};
  expect({isNotFound, isConflict, isAlreadyExists, isGone, isRetryable}).toEqual({...none, ...expected});
});

test('the message names the call and what the server said', () => {
  expect(new ApiError(404, {message: 'pods "web" not found'}, {call: 'GET /pods/web'}).message).toBe(
    'GET /pods/web: pods "web" not found',
  );
  expect(refused(502).message).toBe('GET /x: HTTP 502');
});

test('the wait that the server asks for is in ms, the header before the body', () => {
  const body = {details: {retryAfterSeconds: 3}};
  expect(new ApiError(429, body, {call: 'x'}).retryAfterMs).toBe(3000);
  expect(new ApiError(429, body, {call: 'x', retryAfterMs: 1000}).retryAfterMs).toBe(1000);
  expect(refused(429).retryAfterMs).toBeUndefined();
});

test('only the conflict of an API call counts as a conflict', () => {
  expect(isConflict(refused(409, 'Conflict'))).toBe(true);
  expect(isConflict(refused(409, 'AlreadyExists'))).toBe(false);
  expect(isConflict(new Error('conflict'))).toBe(false);
});

test('every error has its class as name and a code', () => {
  const cause = new Error('RBAC');
  const late = new SyncTimeoutError('pods', 100, cause);
  expect([late.name, late.code, late.cause]).toEqual(['SyncTimeoutError', 'KUBE_SYNC_TIMEOUT', cause]);
  expect(new TerminalError('no').code).toBe('KUBE_TERMINAL');
  expect(new LeaseLostError('ns/op')).toBeInstanceOf(KubeError);
});
