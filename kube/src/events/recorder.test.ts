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
/** So many creations are done, and their answers lost. */
let lostAnswers: number;

const client: Pick<Client, 'create' | 'mergePatch'> = {
  create: async (_, object) => {
    writes += 1;
    if (failure !== undefined) throw failure;
    const name = object.metadata.name ?? '';
    if (stored.has(name)) throw new ApiError(409, {reason: 'AlreadyExists'}, {call: 'POST'});
    stored.set(name, object as unknown as Event);
    if (lostAnswers > 0) {
      lostAnswers -= 1;
      throw new TransportError('POST', new Error('reset'));
    }
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
  lostAnswers = 0;
  recorder = new EventRecorder({client, component: 'wherry-operator', log, clock, random: () => 0.5});
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

const reset = new TransportError('POST', new Error('reset'));

test('a refusal, as in a namespace that is being deleted, costs the event and nothing else', async () => {
  failure = new ApiError(403, {reason: 'Forbidden'}, {call: 'POST'});
  expect(() => recorder.event(web, started)).not.toThrow();
  await clock.advance(60_000);
  await recorder.flush();
  expect([stored.size, writes, log.lines.length]).toEqual([0, 1, 1]);
});

test('an API server that is away for a while gets the notes when it is back, in their order', async () => {
  failure = reset;
  for (const message of ['one', 'two', 'three']) recorder.event(web, {...started, message});
  await clock.advance(60_000);
  // One try every two seconds, of one note.
  expect(writes).toBeLessThanOrEqual(31);
  failure = undefined;
  await clock.advance(5000);
  expect([...stored.values()].map(({message}) => message)).toEqual(['one', 'two', 'three']);
  expect(log.lines).toEqual([]);
});

test('a note that nobody takes for two minutes is given up', async () => {
  failure = reset;
  recorder.event(web, started);
  await clock.advance(130_000);
  expect(log.messages('debug')).toEqual(['event not written']);
  expect(clock.pending).toBe(0);
});

test('notes that wait for an API server are bounded', async () => {
  failure = reset;
  for (let index = 0; index < 1200; index += 1) recorder.event(aConfigMap(`web-${index}`), started);
  await clock.advance(1000);
  failure = undefined;
  await clock.advance(5000);
  expect(stored.size).toBe(1000);
});

test('a process that stops tries what is left once, and no more', async () => {
  failure = reset;
  for (const message of ['one', 'two']) recorder.event(web, {...started, message});
  await clock.advance(1000);
  const before = writes;
  await recorder.flush();
  expect(writes - before).toBeLessThanOrEqual(2);
  failure = undefined;
  expect(await note(web, {...started, message: 'three'})).toHaveLength(1);
});

test('an event whose answer was lost on its way is written once', async () => {
  lostAnswers = 1;
  recorder.event(web, started);
  await clock.advance(10_000);
  expect([stored.size, log.lines]).toEqual([1, []]);
});

test('a wall clock that jumps neither ends a series nor keeps it for ever', async () => {
  await note(web, started);
  clock.setWall(Date.UTC(2020, 0, 1));
  expect((await note(web, started))[0]).toMatchObject({count: 2});
  await clock.advance(120_000);
  expect(await note(web, started)).toHaveLength(2);
  clock.setWall(Date.UTC(2040, 0, 1));
  expect((await note(web, started)).map(({count}) => count)).toEqual([2, 2]);
});

test('a note whose first event was lost is written anew when it comes again', async () => {
  failure = new TransportError('POST', new Error('reset'));
  await note(web, started);
  failure = undefined;
  expect(await note(web, started)).toHaveLength(1);
});

test('a note whose event has expired meanwhile is written anew, and not lost', async () => {
  await note(web, started);
  stored.clear();
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
