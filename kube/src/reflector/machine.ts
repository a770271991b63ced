import type {WatchEvent} from '../client/watch-stream.ts';
import {ApiError} from '../errors.ts';

/**
 * The list-watch protocol as a state machine, as in client-go's reflector and kube-rs' watcher: a full list in pages, then
 * a watch from its resourceVersion, resumed where it ended; listed anew only when the server has forgotten that version.
 */
export type State =
  | {readonly at: 'Listing'; readonly failures: number}
  | {readonly at: 'Watching'; readonly resourceVersion: string; readonly failures: number}
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
  /** The server ended the watch in order, as it does every few minutes. */
  | {readonly type: 'ended'}
  | {readonly type: 'failed'; readonly error: unknown}
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

export const start = <T>(): Step<T> => [{at: 'Listing', failures: 0}, [{do: 'list', token: undefined}]];

/** @throws Error for an input that the state cannot have asked for. */
export const step = <T>(state: State, input: Input<T>): Step<T> => {
  switch (state.at) {
    case 'Listing':
      if (input.type === 'page') return listed(state, input);
      if (input.type === 'failed') return wait({at: 'Listing', failures: state.failures + 1}, input.error);
      break;
    case 'Watching':
      if (input.type === 'event') return watched(input);
      if (input.type === 'ended') return [state, [{do: 'watch', resourceVersion: state.resourceVersion}]];
      if (input.type === 'failed') return broken(state, input.error);
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
    {at: 'Watching', resourceVersion, failures: 0},
    [
      {do: 'stage', items},
      {do: 'commit', resourceVersion},
      {do: 'watch', resourceVersion},
    ],
  ];
};

const watched = <T>({event, resourceVersion}: Extract<Input<T>, {type: 'event'}>): Step<T> => [
  {at: 'Watching', resourceVersion, failures: 0},
  [{do: 'store', event, resourceVersion}, {do: 'next'}],
];

const broken = <T>(state: Watching, error: unknown): Step<T> => {
  const failures = state.failures + 1;
  // Too old to resume from: the missed events are gone, only a new list tells what is there.
  if (error instanceof ApiError && error.isGone) return wait({at: 'Listing', failures}, error);
  return wait({...state, failures}, error);
};

const wait = <T>(next: Listing | Watching, error: unknown): Step<T> => [
  {at: 'Waiting', next},
  [{do: 'wait', failures: next.failures, retryAfterMs: error instanceof ApiError ? error.retryAfterMs : undefined}],
];

const enter = <T>(next: Listing | Watching): Effect<T> =>
  next.at === 'Listing' ? {do: 'list', token: undefined} : {do: 'watch', resourceVersion: next.resourceVersion};

/** How long to wait after that many failures in a row, ms: 100 ms doubling to 30 s, with jitter. */
export const backOffMs = (failures: number, random: () => number): number =>
  Math.min(100 * 2 ** Math.min(failures - 1, 20), 30_000) * (0.5 + random());
