import {once} from 'node:events';
import {type AddressInfo, createServer} from 'node:net';
import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {Registry} from 'prom-client';
import {ApiError, CallTimeoutError, LeaseLostError, MalformedError, TransportError} from '../errors.ts';
import {core} from '../resources.ts';
import {type Answer, HttpApi, json} from '../testing/http-api.ts';
import {ManualClock} from '../testing/manual-clock.ts';
import {aConfigMap} from '../testing/objects.ts';
import {Client} from './client.ts';
import type {ClientOptions} from './options.ts';

let api: HttpApi;
let registry: Registry;
let client: Client;

beforeEach(async () => {
  api = await new HttpApi().start();
  registry = new Registry();
  client = make();
});

afterEach(async () => {
  await client.close();
  await api.stop();
});

const make = (options: Partial<ClientOptions> = {}): Client =>
  new Client({kubeConfig: api.kubeConfig, userAgent: 'test/1', registry, ...options});

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

const key = {namespace: 'default', name: 'a'};
const status = (code: number, reason: string) => json(code, {kind: 'Status', code, reason, message: `it is ${reason}`});
const one = json(200, aConfigMap('a'));

test('every request says who asks, with the token of that moment', async () => {
  api.answer(one);
  await client.get(core.configMaps, key);
  api.token = 'two';
  await client.get(core.configMaps, key);
  expect(api.seen.map(({headers}) => headers.authorization)).toEqual(['Bearer one', 'Bearer two']);
  expect(api.seen[0]?.headers['user-agent']).toBe('test/1');
});

test('a missing object is no error, a kind that is not served is', async () => {
  api.answer(status(404, 'NotFound'), response => response.writeHead(404).end('404 page not found\n'));
  expect(await client.get(core.configMaps, key)).toBeUndefined();
  await expect(client.get(core.configMaps, key)).rejects.toThrow('404 page not found');
});

test('200 calls one after the other use one or two connections, at once at most sixteen', async () => {
  api.answer(one);
  for (let call = 0; call < 200; call += 1) await client.get(core.configMaps, key);
  expect(api.connections).toBeLessThanOrEqual(2);
  await Promise.all(Array.from({length: 200}, () => client.get(core.configMaps, key)));
  expect(api.connections).toBeLessThanOrEqual(16);
});

test.each([429, 503])('a %d is sent again after the time that the server asks for', async code => {
  api.answer(json(code, {}, {'retry-after': '1'}), one);
  const began = performance.now();
  expect(await client.get(core.configMaps, key)).toBeDefined();
  expect(performance.now() - began).toBeGreaterThan(950);
  expect(api.seen).toHaveLength(2);
});

test('the server is not asked without end: the third refusal is thrown, with its wait', async () => {
  api.answer(json(429, {}, {'retry-after': '1'}));
  const error = await failureOf(make({maxRetryAfterMs: 1}).create(core.configMaps, aConfigMap('a')));
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({status: 429, retryAfterMs: 1000});
  expect(api.seen).toHaveLength(3);
});

test.each([500, 503])('a %d that asks for no retry is the caller’s to judge', async code => {
  api.answer(status(code, 'InternalError'));
  await expect(client.get(core.configMaps, key)).rejects.toMatchObject({status: code, isRetryable: true});
  expect(api.seen).toHaveLength(1);
});

test('a server that does not answer in time is a time-out, also in the middle of an answer', async () => {
  const quick = make({timeoutMs: 200});
  api.answer(
    () => undefined,
    response => {
      response.writeHead(200);
      response.write('{"metadata":');
    },
  );
  expect(await failureOf(quick.get(core.configMaps, key))).toBeInstanceOf(CallTimeoutError);
  expect(await failureOf(quick.get(core.configMaps, key))).toBeInstanceOf(CallTimeoutError);
  await quick.close();
});

test('a server that trickles its answer is a time-out too', async () => {
  const quick = make({timeoutMs: 300});
  api.answer(response => {
    response.writeHead(200);
    const drip = setInterval(() => response.write(' '), 50);
    response.on('close', () => clearInterval(drip));
  });
  expect(await failureOf(quick.get(core.configMaps, key))).toBeInstanceOf(CallTimeoutError);
  await quick.close();
}, 3000);

test('a broken connection is a transport error that names the call', async () => {
  api.answer(response => response.destroy());
  const error = await failureOf(client.get(core.configMaps, key));
  expect(error).toBeInstanceOf(TransportError);
  expect(String(error)).toContain('GET /api/v1/namespaces/default/configmaps/a');
});

test('the log of a pod is its text, also where a character is cut in two', async () => {
  api.answer(response => {
    const bytes = Buffer.from('boot\nlogin: é');
    response.writeHead(200, {'content-type': 'text/plain'});
    response.write(bytes.subarray(0, -1));
    setTimeout(() => response.end(bytes.subarray(-1)), 20);
  });
  expect(await client.podLog(key)).toBe('boot\nlogin: é');
  expect(api.seen[0]?.url).toBe('/api/v1/namespaces/default/pods/a/log');
});

test('a log that the server refuses is an error that names the call', async () => {
  api.answer(status(400, 'BadRequest'));
  await expect(client.podLog(key)).rejects.toThrow(/GET .*\/pods\/a\/log: it is BadRequest/);
});

test('an aborted call throws the reason of the abort', async () => {
  api.answer(() => undefined);
  const stop = new AbortController();
  const call = failureOf(client.get(core.configMaps, key, stop.signal));
  setTimeout(() => stop.abort(new Error('stopping')), 20);
  expect(String(await call)).toContain('stopping');
  expect(String(await failureOf(client.get(core.configMaps, key, stop.signal)))).toContain('stopping');
});

test('items of a list have their type, which the API server leaves out for built-in kinds', async () => {
  const {apiVersion: _v, kind: _k, ...item} = aConfigMap('a');
  api.answer(json(200, {items: [item], metadata: {resourceVersion: '5', continue: 'more'}}));
  expect(await client.page(core.configMaps, {limit: 1})).toEqual({
    items: [aConfigMap('a')],
    resourceVersion: '5',
    continueToken: 'more',
  });
});

test('a status is written only on what was read: its resourceVersion and uid go with it', async () => {
  api.answer(one);
  await client.patchStatus(core.configMaps, aConfigMap('a'), {phase: 'Running'}, {fieldManager: 'operator'});
  const [call] = api.seen;
  expect(call?.url).toBe('/api/v1/namespaces/default/configmaps/a/status?fieldManager=operator');
  expect(call?.headers['content-type']).toBe('application/merge-patch+json');
  expect(JSON.parse(call?.body ?? '')).toEqual({
    metadata: {resourceVersion: '1', uid: 'uid-of-a'},
    status: {phase: 'Running'},
  });
});

test('a status of what was never read is not written at all', async () => {
  const draft = {...aConfigMap('a'), metadata: {namespace: 'default', name: 'a'}};
  await expect(client.patchStatus(core.configMaps, draft, {})).rejects.toThrow('ConfigMap a');
  expect(api.seen).toEqual([]);
});

test('a deletion that finds nothing, or a successor of the name, says so', async () => {
  api.answer(json(200, {}), status(404, 'NotFound'), status(409, 'Conflict'), status(409, 'Conflict'));
  expect(await client.delete(core.configMaps, key, {uid: 'u', gracePeriodSeconds: 0})).toBe(true);
  expect(JSON.parse(api.seen[0]?.body ?? '')).toMatchObject({preconditions: {uid: 'u'}, gracePeriodSeconds: 0});
  expect(await client.delete(core.configMaps, key)).toBe(false);
  expect(await client.delete(core.configMaps, key, {uid: 'u'})).toBe(false);
  await expect(client.delete(core.configMaps, key, {uid: 'u', resourceVersion: '3'})).rejects.toMatchObject({
    isConflict: true,
  });
});

test('a watch that falls silent for too long counts as broken', async () => {
  const impatient = make({watchIdleMs: 300});
  api.answer(response => {
    response.writeHead(200);
    response.write(`${JSON.stringify({type: 'ADDED', object: aConfigMap('a')})}\n`);
  });
  const types: string[] = [];
  const began = performance.now();
  const watching = async (): Promise<void> => {
    for await (const {type} of await impatient.watch(core.configMaps, {resourceVersion: '1'})) types.push(type);
  };
  expect(await failureOf(watching())).toBeInstanceOf(TransportError);
  expect(types).toEqual(['ADDED']);
  expect(performance.now() - began).toBeLessThan(3000);
  expect(api.seen[0]?.url).toBe('/api/v1/configmaps?resourceVersion=1&watch=true&allowWatchBookmarks=true');
  await impatient.close();
});

test('certificates that were renewed are used within a minute, on new connections', async () => {
  const clock = new ManualClock();
  let certificate = 'first';
  const kubeConfig = {...api.kubeConfig, tls: async () => ({cert: certificate})};
  const renewing = make({kubeConfig, clock});
  api.answer(one);
  await renewing.get(core.configMaps, key);
  await renewing.get(core.configMaps, key);
  const before = api.connections;
  certificate = 'second';
  await renewing.get(core.configMaps, key);
  expect(api.connections).toBe(before);
  await clock.advance(60_000);
  await renewing.get(core.configMaps, key);
  expect(api.connections).toBe(before + 1);
  await renewing.close();
});

test('watches do not take the connections of calls', async () => {
  api.answer(
    ...Array.from({length: 20}, () => (response: {writeHead(status: number): void; flushHeaders(): void}) => {
      response.writeHead(200);
      response.flushHeaders();
    }),
    one,
  );
  const stop = new AbortController();
  await Promise.all(Array.from({length: 20}, () => client.watch(core.configMaps, {resourceVersion: '1'}, stop.signal)));
  expect(await client.get(core.configMaps, key)).toBeDefined();
  stop.abort();
});

test('calls are counted by code, and failed ones too', async () => {
  api.answer(one, status(404, 'NotFound'), response => response.destroy());
  for (let call = 0; call < 3; call += 1) await failureOf(client.get(core.configMaps, key));
  const {values} = (await registry.getSingleMetric('rest_client_requests_total')?.get()) ?? {values: []};
  expect(new Map(values.map(({labels, value}) => [labels['code'], value]))).toEqual(
    new Map([
      ['200', 1],
      ['404', 1],
      ['<error>', 1],
    ]),
  );
});

test('a call is given up at once when it is aborted, even while its connection is still being made', async () => {
  // It takes connections and never says a word: TLS cannot begin.
  const mute = createServer().listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const {port} = mute.address() as AddressInfo;
  const stuck = make({kubeConfig: {...api.kubeConfig, url: `https://127.0.0.1:${port}`}});
  const stop = new AbortController();
  const call = failureOf(stuck.get(core.configMaps, key, stop.signal));
  await once(mute, 'connection');
  const began = performance.now();
  stop.abort(new Error('enough'));
  expect(await call).toEqual(new Error('enough'));
  expect(performance.now() - began).toBeLessThan(1000);
  await stuck.close();
  mute.close();
});

test.each([
  ['an empty object', {}],
  ['nothing', null],
  ['a status', {kind: 'Status', status: 'Success', metadata: {}}],
  ['items without a version', {items: [], metadata: {}}],
  ['a version without items', {metadata: {resourceVersion: '5'}}],
])('%s is not taken for an empty list: that would be the end of every object', async (_, body) => {
  api.answer(json(200, body));
  expect(await failureOf(client.page(core.configMaps))).toBeInstanceOf(MalformedError);
});

test('an empty list may have null for its items', async () => {
  api.answer(json(200, {items: null, metadata: {resourceVersion: '5'}}));
  expect(await client.page(core.configMaps)).toEqual({items: [], resourceVersion: '5'});
});

test('a list that is cut off in the middle is a failure', async () => {
  api.answer(response => response.writeHead(200).end('{"metadata":{"resourceVersion":"5"},"items":[{"metad'));
  expect(await failureOf(client.page(core.configMaps))).toBeInstanceOf(MalformedError);
});

test('a watch whose refusal trickles in without end is a time-out', async () => {
  const quick = make({timeoutMs: 300});
  api.answer(response => {
    response.writeHead(503);
    const drip = setInterval(() => response.write(' '), 50);
    response.on('close', () => clearInterval(drip));
  });
  expect(await failureOf(quick.watch(core.configMaps, {resourceVersion: '1'}))).toBeInstanceOf(CallTimeoutError);
  await quick.close();
}, 3000);

test('a guarded write is not sent, nor sent again, once the guard refuses; reads and other clients are free', async () => {
  let mayWrite = true;
  const guarded = make({maxRetryAfterMs: 20}).guardedBy(() => {
    if (!mayWrite) throw new LeaseLostError('operator');
  });
  const busy: Answer = response => {
    mayWrite = false;
    json(429, {}, {'retry-after': '1'})(response);
  };
  api.answer(one, busy, one);
  await guarded.mergePatch(core.configMaps, key, {});
  expect(await failureOf(guarded.create(core.configMaps, aConfigMap('a')))).toBeInstanceOf(LeaseLostError);
  expect(await failureOf(guarded.delete(core.configMaps, key))).toBeInstanceOf(LeaseLostError);
  expect(api.seen).toHaveLength(2);
  expect(await guarded.get(core.configMaps, key)).toBeDefined();
  expect(await client.create(core.configMaps, aConfigMap('a'))).toBeDefined();
  await guarded.close();
});

test('who keeps objects of a kind is told of every write of it, and of no other', async () => {
  const told: unknown[] = [];
  const end = client.onWrite(core.configMaps, write => told.push(write));
  const stored = {type: 'stored', object: aConfigMap('a')};
  api.answer(one);
  await client.create(core.configMaps, aConfigMap('a'));
  await client.apply(core.configMaps, aConfigMap('a'), {fieldManager: 'x'});
  await client.update(core.configMaps, aConfigMap('a'));
  await client.jsonPatch(core.configMaps, key, []);
  await client.guardedBy(() => undefined).patchStatus(core.configMaps, aConfigMap('a'), {});
  await client.mergePatch(core.pods, key, {});
  await client.get(core.configMaps, key);
  // One that waits for its finalizers is still there.
  await client.delete(core.configMaps, key);
  expect(told).toEqual([stored, stored, stored, stored, stored, stored]);
  end();
  await client.create(core.configMaps, aConfigMap('a'));
  expect(told).toHaveLength(6);
});

test('who keeps objects is told of those that are gone, with the uid where it is known', async () => {
  const told: unknown[] = [];
  client.onWrite(core.configMaps, write => told.push(write));
  api.answer(json(200, {kind: 'Status', details: {uid: 'u1'}}), status(404, 'NotFound'), status(409, 'Conflict'));
  await client.delete(core.configMaps, key);
  await client.delete(core.configMaps, key);
  await client.delete(core.configMaps, key, {uid: 'u2'});
  expect(told).toEqual(['u1', undefined, 'u2'].map(uid => ({type: 'removed', key, uid})));
});
