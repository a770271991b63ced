import {ApiError, MalformedError, type StatusBody, TransportError} from '../errors.ts';
import type {KubeObject} from '../objects.ts';
import type {Limit} from './limit.ts';

export type WatchEvent<T> =
  | {readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T}
  /** Nothing changed up to this resourceVersion. */
  | {readonly type: 'BOOKMARK'; readonly resourceVersion: string};

/** Longest line that a watch may hold: an object is at most 3 MiB or so in etcd, more as JSON. */
const maxLineBytes = 32 * 1024 * 1024;

/** The lines of a byte stream. @throws MalformedError for a line without end. */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, {stream: true});
    let start = 0;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', start)) {
      if (end > start) yield rest.slice(start, end);
      start = end + 1;
    }
    rest = rest.slice(start);
    if (rest.length > maxLineBytes) throw new MalformedError('watch', `a line of more than ${maxLineBytes} bytes`);
  }
  // A rest without a line break is an event cut off in the middle: the next watch brings it whole.
}

export interface WatchBounds {
  readonly limit: Limit;
  /** Longest time without a whole event, ms. */
  readonly idleMs: number;
}

/**
 * The events of a watch. Bytes alone do not keep it alive: what trickles and never becomes an event is as good as silent.
 * @throws ApiError for an ERROR event, MalformedError for anything that is no event, TransportError when it breaks off.
 */
export async function* watchEvents<T extends KubeObject>(
  what: string,
  chunks: AsyncIterable<Uint8Array>,
  {limit, idleMs}: WatchBounds,
): AsyncGenerator<WatchEvent<T>> {
  const silent = (): Error => new TransportError(`watch of ${what}`, new Error(`no event for ${idleMs} ms`));
  try {
    limit.within(idleMs, silent);
    for await (const line of lines(chunks)) {
      limit.lift();
      yield parseEvent<T>(what, line);
      limit.within(idleMs, silent);
    }
  } catch (error) {
    limit.signal.throwIfAborted();
    if (error instanceof ApiError || error instanceof MalformedError) throw error;
    throw new TransportError(`watch of ${what}`, error);
  } finally {
    limit.release();
  }
}

const parseEvent = <T extends KubeObject>(what: string, line: string): WatchEvent<T> => {
  const malformed = (problem: string, cause?: unknown): Error => new MalformedError(`watch of ${what}`, problem, cause);
  let event: {type?: unknown; object?: unknown} | null;
  try {
    event = JSON.parse(line) as typeof event;
  } catch (error) {
    throw malformed('a line that is no JSON', error);
  }
  const {type, object} = event ?? {};
  if (typeof object !== 'object' || object === null) throw malformed('an event without object');
  const {name, resourceVersion} = (object as Partial<KubeObject>).metadata ?? {};
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      if (name === undefined || resourceVersion === undefined)
        throw malformed('an object without name or resourceVersion');
      return {type, object: object as T};
    case 'BOOKMARK':
      if (resourceVersion === undefined) throw malformed('a bookmark without resourceVersion');
      return {type, resourceVersion};
    case 'ERROR': {
      const status = object as StatusBody;
      throw new ApiError(status.code ?? 500, status, {call: `watch of ${what}`});
    }
    default:
      throw malformed(`an event of unknown type ${String(type)}`);
  }
};
