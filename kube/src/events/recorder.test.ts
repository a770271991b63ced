import {beforeEach, expect, test} from '@jest/globals';
import type {Client} from '../client/client.ts';
import {ApiError, TransportError} from '../errors.ts';
import type {Event, KubeObject} from '../objects.ts';
import {ManualClock} from '../testing/manual-clock.ts';
import {MemoryLog} from '../testing/memory-log.ts';
import {aConfigMap} from '../testing/objects.ts';
import {EventRecorder, type Note} from './recorder.ts';

let clock: ManualClock;
let log: MemoryLog;
let recorder: EventRecorder;
/** What the API server has, by name. */
let stored: Map<string, Event>;
let writes: number;
let failure: Error | undefined;

const client: Pick<Client, 'create' | 'mergePatch'> = {
  create: async (_, object) => {
    writes += 1;
    if (failure !== undefined) throw failure;
    stored.set(object.metadata.name ?? '', object as unknown as Event);
    return object;
  },
  mergePatch: async (_, {name}, patch) => {
    writes += 1;
    if (failure !== undefined) throw failure;
    const known = stored.get(name);
    if (known === undefined) throw new ApiError(404, {reason: 'NotFound'}, {call: 'PATCH'});
    stored.set(name, {...known, ...patch});
    return known as never;
  },
};

beforeEach(() => {
  clock = new ManualClock();
  log = new MemoryLog();
  stored = new Map();
  writes = 0;
  failure = undefined;
  recorder = new EventRecorder({client, component: 'wherry-operator', log, clock});
});

const started: Note = {type: 'Normal', reason: 'Started', message: 'it runs'};
const web = aConfigMap('web');

const note = async (object: KubeObject, ...notes: Note[]): Promise<Event[]> => {
  for (const one of notes) recorder.event(object, one);
  await recorder.flush();
  return [...stored.values()];
};

test('an event names its object by uid, so that describe shows it', async () => {
  const [event] = await note(web, started);
  expect(event).toMatchObject({
    metadata: {namespace: 'default'},
    involvedObject: {apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'web', uid: 'uid-of-web'},
    type: 'Normal',
    reason: 'Started',
    message: 'it runs',
    count: 1,
    source: {component: 'wherry-operator'},
    reportingComponent: 'wherry-operator',
  });
  expect(event?.firstTimestamp).toBe('2026-01-01T00:00:00.000Z');
});

test('the events of a cluster-scoped object are in the namespace default', async () => {
  const {namespace: _none, ...metadata} = web.metadata;
  const [event] = await note({...web, kind: 'Node', metadata}, started);
  expect(event?.metadata.namespace).toBe('default');
  expect(event?.involvedObject).not.toHaveProperty('namespace');
});

test('the same note again within two minutes counts up the first', async () => {
  await note(web, started);
  await clock.advance(100_000);
  const events = await note(web, started);
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({
    count: 2,
    firstTimestamp: '2026-01-01T00:00:00.000Z',
    lastTimestamp: '2026-01-01T00:01:40.000Z',
  });
});

test('the same note later, another message or another object is another event', async () => {
  await note(web, started, {...started, message: 'it runs again'});
  await note(aConfigMap('db'), started);
  await clock.advance(120_000);
  expect(await note(web, started)).toHaveLength(4);
});

test('a storm on one object is cut to 25, then one in a minute; others are not concerned', async () => {
  const storm = Array.from({length: 100}, (_, index) => ({...started, message: `try ${index}`}));
  expect(await note(web, ...storm)).toHaveLength(25);
  expect(await note(aConfigMap('db'), started)).toHaveLength(26);
  await clock.advance(60_000);
  expect(await note(web, ...storm.slice(50))).toHaveLength(27);
});

test('a storm of one and the same note costs few writes, and its count is right in the end', async () => {
  for (let second = 0; second < 20; second += 1) {
    recorder.event(web, started);
    await clock.advance(1000);
  }
  const [event] = await note(web);
  expect(event?.count).toBe(20);
  expect(writes).toBeLessThanOrEqual(21);
});

test.each([
  ['an API server that is away', new TransportError('POST', new Error('reset'))],
  ['a namespace that is being deleted', new ApiError(403, {reason: 'Forbidden'}, {call: 'POST'})],
])('%s costs the event, and nothing else', async (_, error) => {
  failure = error;
  expect(() => recorder.event(web, started)).not.toThrow();
  await recorder.flush();
  expect(stored.size).toBe(0);
  expect(log.lines).toHaveLength(1);
});

test('a note whose first event was lost is written anew when it comes again', async () => {
  failure = new TransportError('POST', new Error('reset'));
  await note(web, started);
  failure = undefined;
  expect(await note(web, started)).toHaveLength(1);
});

test('an event that has expired meanwhile is written anew when its note comes again', async () => {
  await note(web, started);
  stored.clear();
  await note(web, started);
  expect(await note(web, started)).toHaveLength(1);
});

test('a long message is cut to what the API allows, in bytes', async () => {
  const [event] = await note(web, {...started, message: 'ü'.repeat(2000)});
  expect(Buffer.byteLength(event?.message ?? '')).toBeLessThanOrEqual(1024);
  expect(event?.message?.endsWith('ü')).toBe(true);
});

test('names of events are valid and differ, also for objects with long names', async () => {
  const long = aConfigMap(`${'a'.repeat(199)}-.${'b'.repeat(50)}`);
  await note(long, started, {...started, message: 'other'});
  await note(web, started, {...started, message: 'other'});
  expect(stored.size).toBe(4);
  for (const name of stored.keys()) {
    expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
    expect(name.length).toBeLessThanOrEqual(253);
  }
});
