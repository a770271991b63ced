import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {ApiError, MalformedError, TransportError} from '../errors.ts';
import {ManualClock} from '../testing/manual-clock.ts';
import {Limit} from './limit.ts';
import {lines, type WatchBounds, watchEvents} from './watch-stream.ts';

async function* bytes(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? new TextEncoder().encode(part) : part;
}

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

const unbound = (signal?: AbortSignal): WatchBounds => ({limit: new Limit(new ManualClock(), signal), idleMs: 1000});

const events = (...parts: string[]) => collect(watchEvents('pods', bytes(...parts), unbound()));

const added = '{"type":"ADDED","object":{"metadata":{"name":"web","resourceVersion":"7"}}}\n';

test('lines come out whole however the bytes were cut, also within a character', async () => {
  const text = fc.array(
    fc.string({unit: 'grapheme', minLength: 1}).map(one => one.replaceAll(/[\n\r]/g, '·')),
    {
      maxLength: 8,
    },
  );
  await fc.assert(
    fc.asyncProperty(text, fc.integer({min: 1, max: 7}), async (wanted, size) => {
      const whole = new TextEncoder().encode(wanted.map(line => `${line}\n`).join(''));
      const cut: Uint8Array[] = [];
      for (let at = 0; at < whole.length; at += size) cut.push(whole.slice(at, at + size));
      expect(await collect(lines(bytes(...cut)))).toEqual(wanted);
    }),
  );
});

test('an event that was cut off at the end is dropped: the next watch brings it whole', async () => {
  expect(await events(added, '{"type":"MODIF')).toHaveLength(1);
});

test('a bookmark carries only how far the watch has come', async () => {
  expect(await events('{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}\n')).toEqual([
    {type: 'BOOKMARK', resourceVersion: '9'},
  ]);
});

test('an error event is thrown as the API error that it is', async () => {
  const gone = '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}\n';
  const error: unknown = await events(added, gone).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ApiError);
  expect((error as ApiError).isGone).toBe(true);
});

test.each([
  ['a line that is no JSON', 'nonsense\n'],
  ['a line that is no object', '7\n'],
  ['no event at all', 'null\n'],
  ['an event without object', '{"type":"ADDED"}\n'],
  ['an object without a name', '{"type":"ADDED","object":{"metadata":{"resourceVersion":"7"}}}\n'],
  ['an object without resourceVersion', '{"type":"DELETED","object":{"metadata":{"name":"web"}}}\n'],
  ['an unknown type', '{"type":"SUDDEN","object":{}}\n'],
  ['a bookmark without resourceVersion', '{"type":"BOOKMARK","object":{}}\n'],
])('%s is an error, never skipped', async (_, line) => {
  await expect(events(line)).rejects.toBeInstanceOf(MalformedError);
});

async function* broken(): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(added);
  throw new Error('socket hang up');
}

test('a stream that breaks off is a transport error that names the watch', async () => {
  const error: unknown = await collect(watchEvents('pods', broken(), unbound())).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(TransportError);
  expect(String(error)).toContain('watch of pods: socket hang up');
});

test('a stream that was aborted throws the reason, which is no failure', async () => {
  const stop = new AbortController();
  async function* aborted(): AsyncGenerator<Uint8Array> {
    stop.abort(new Error('stopping'));
    yield* [];
    throw new Error('socket hang up');
  }
  await expect(collect(watchEvents('x', aborted(), unbound(stop.signal)))).rejects.toThrow('stopping');
});

test('bytes that never become an event are as good as silence', async () => {
  const clock = new ManualClock();
  const limit = new Limit(clock);
  async function* trickle(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(added);
    while (!limit.signal.aborted) {
      await clock.advance(400);
      yield new TextEncoder().encode('\n');
    }
    throw limit.signal.reason;
  }
  const error: unknown = await collect(watchEvents('pods', trickle(), {limit, idleMs: 1000})).catch(
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(TransportError);
  expect(String(error)).toContain('no event for 1000 ms');
  expect(clock.monotonic()).toBe(1200);
  expect(clock.pending).toBe(0);
});

test('a reader that takes its time does not make the watch silent', async () => {
  const clock = new ManualClock();
  const seen: string[] = [];
  for await (const event of watchEvents('pods', bytes(added, added), {limit: new Limit(clock), idleMs: 1000})) {
    seen.push(event.type);
    await clock.advance(5000);
  }
  expect(seen).toEqual(['ADDED', 'ADDED']);
});
