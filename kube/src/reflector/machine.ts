import type {WatchEvent} from '../client/watch-stream.ts';
import {spread} from '../clock.ts';
import {ApiError, StaleCacheError} from '../errors.ts';

/**
 * The list-watch protocol as a state machine, as in client-go's reflector and kube-rs' watcher: a full list in pages, then
 * a watch from its resourceVersion, resumed where it ended; listed anew only when it cannot be resumed.
 *
 * `failures` are forgotten only by a watch that lasted: a list that succeeds or an event that comes in is no sign of health
 * where each watch ends at once, and would be asked for again in a storm. `lost` counts the lists among them that a watch
 * which could not go on made necessary: a server that answers so is there, so the first of them does not wait as long as
 * the failures to reach it had come to.
 */
export type State =
  | {readonly at: 'Listing'; readonly failures: number; readonly lost: number}
  | {readonly at: 'Watching'; readonly resourceVersion: string; readonly failures: number; readonly lost: number}
  | {readonly at: 'Waiting'; readonly next: Listing | Watching};

type Listing = Extract<State, {at: 'Listing'}>;
type Watching = Extract<State, {at: 'Watching'}>;

export type Input<T> =
  | {
      readonly type: 'page';
      readonly items: readonly T[];
      readonly resourceVersion: string;
      readonly token: string | undefined;
    }
  | {readonly type: 'event'; readonly event: WatchEvent<T>; readonly resourceVersion: string}
  /** The server ended the watch in order, as it does every few minutes. `lastedMs`: since it was asked for. */
  | {readonly type: 'ended'; readonly lastedMs: number}
  | {readonly type: 'failed'; readonly error: unknown; readonly lastedMs: number}
  | {readonly type: 'waited'};

/** What the machine asks for: at most one of list, watch, next and wait, after what is to be stored. */
export type Effect<T> =
  /** Without a token a list begins, and what was staged of an earlier one is void. */
  | {readonly do: 'list'; readonly token: string | undefined}
  | {readonly do: 'watch'; readonly resourceVersion: string}
  | {readonly do: 'next'}
  | {readonly do: 'wait'; readonly failures: number; readonly retryAfterMs: number | undefined}
  /** Put aside until the list is whole. Page by page, so that a long list does not hold up the process. */
  | {readonly do: 'stage'; readonly items: readonly T[]}
  /** What was staged replaces what is there, all at once: readers never see half a list. */
  | {readonly do: 'commit'; readonly resourceVersion: string}
  | {readonly do: 'store'; readonly event: WatchEvent<T>; readonly resourceVersion: string};

export type Step<T> = readonly [State, readonly Effect<T>[]];

export const start = <T>(): Step<T> => [{at: 'Listing', failures: 0, lost: 0}, [{do: 'list', token: undefined}]];

/** @throws Error for an input that the state cannot have asked for. */
export const step = <T>(state: State, input: Input<T>): Step<T> => {
  switch (state.at) {
    case 'Listing':
      if (input.type === 'page') return listed(state, input);
      if (input.type === 'failed') return wait({...state, failures: state.failures + 1}, input.error);
      break;
    case 'Watching':
      if (input.type === 'event') return watched(state, input);
      if (input.type === 'ended') return ended(state, input.lastedMs);
      if (input.type === 'failed') return broken(state, input);
      break;
    case 'Waiting':
      if (input.type === 'waited') return [state.next, [enter(state.next)]];
      break;
  }
  throw new Error(`a reflector that is ${state.at} was told '${input.type}'`);
};

const listed = <T>(state: Listing, page: Extract<Input<T>, {type: 'page'}>): Step<T> => {
  const {items, resourceVersion, token} = page;
  if (token !== undefined) {
    return [
      state,
      [
        {do: 'stage', items},
        {do: 'list', token},
      ],
    ];
  }
  return [
    {at: 'Watching', resourceVersion, failures: state.failures, lost: state.lost},
    [
      {do: 'stage', items},
      {do: 'commit', resourceVersion},
      {do: 'watch', resourceVersion},
    ],
  ];
};

const watched = <T>(state: Watching, {event, resourceVersion}: Extract<Input<T>, {type: 'event'}>): Step<T> => [
  {...state, resourceVersion},
  [{do: 'store', event, resourceVersion}, {do: 'next'}],
];

/** A watch that lasted that long shows that server and network are well, ms. */
const steadyMs = 5000;

const ended = <T>(state: Watching, lastedMs: number): Step<T> => {
  if (lastedMs < steadyMs) return wait({...state, failures: state.failures + 1}, undefined);
  return [{...state, failures: 0, lost: 0}, [{do: 'watch', resourceVersion: state.resourceVersion}]];
};

const broken = <T>(state: Watching, {error, lastedMs}: Extract<Input<T>, {type: 'failed'}>): Step<T> => {
  const before = lastedMs < steadyMs ? state : {failures: 0, lost: 0};
  if (!isLost(error)) return wait({...state, failures: before.failures + 1, lost: before.lost}, error);
  const lost = before.lost + 1;
  return wait({at: 'Listing', failures: lost, lost}, error);
};

/**
 * The missed events are gone, or the server will not take the watch as it is: only a new list tells what is there. A server
 * that just started answers 401 and 403 for a while: that costs no list.
 */
const isLost = (error: unknown): boolean =>
  error instanceof StaleCacheError ||
  (error instanceof ApiError && (error.isGone || !(error.isRetryable || [401, 403].includes(error.status))));

const wait = <T>(next: Listing | Watching, error: unknown): Step<T> => [
  {at: 'Waiting', next},
  [{do: 'wait', failures: next.failures, retryAfterMs: error instanceof ApiError ? error.retryAfterMs : undefined}],
];

const enter = <T>(next: Listing | Watching): Effect<T> =>
  next.at === 'Listing' ? {do: 'list', token: undefined} : {do: 'watch', resourceVersion: next.resourceVersion};

/** Longest wait that a server may ask for, ms. */
const maxRetryAfterMs = 30_000;

/**
 * How long to wait after that many failures in a row, ms: 100 ms doubling to 5 s, with jitter. Not longer, so that a cache
 * is right within seconds when a server comes back; what a server that is overloaded asks for counts beyond it.
 */
export const backOffMs = (failures: number, random: () => number, retryAfterMs = 0): number =>
  Math.max(
    spread(Math.min(100 * 2 ** Math.min(failures - 1, 20), 5000), random),
    // Never before the time that the server asks for, and not all clients at that moment.
    Math.min(retryAfterMs, maxRetryAfterMs) * (1 + random() / 4),
  );
