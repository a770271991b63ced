import type {RunStrategy, StateChangeAction} from '@wherry/api';

/**
 * Should an instance exist now? The one place that knows what the run strategies mean.
 *
 * `RerunOnFailure` and `Once` start only once after a switch to them, so they need a memory that outlives the operator:
 * `status.runStrategy` is the strategy that the machine was last started under, and a Start request in
 * `status.stateChangeRequests` says that a failed guest is owed another run. Under `Manual` nothing happens but by such
 * requests.
 */
/** What of a run the strategies look at. */
export interface RunView {
  readonly ending: 'no' | 'Succeeded' | 'Failed';
  readonly deleting: boolean;
}

export interface StrategyView {
  readonly strategy: RunStrategy;
  /** `status.runStrategy`. */
  readonly startedUnder: string | undefined;
  /** What is asked of the machine and is to be carried out now; a Stop means the run that exists. */
  readonly request: StateChangeAction | undefined;
  /** The machine itself is being deleted. */
  readonly deleting: boolean;
  /** The run that exists, ended or not. */
  readonly run: RunView | undefined;
  /** Milliseconds since the epoch before which a crash-looping guest is not started again. */
  readonly retryAt: number | undefined;
}

export type Intent =
  | {readonly do: 'start'}
  /** A start is due, but not before this many milliseconds are over. */
  | {readonly do: 'start later'; readonly afterMs: number}
  | {readonly do: 'stop'}
  /** A start was asked of a halted machine: from now on its strategy is Always. */
  | {readonly do: 'set Always'}
  /** Nothing to do until something changes. */
  | {readonly do: 'nothing'};

const nothing: Intent = {do: 'nothing'};
const stop: Intent = {do: 'stop'};

export const decideRun = (view: StrategyView, now: number): Intent => {
  if (view.run?.deleting) return nothing;
  if (view.run === undefined && view.strategy === 'Halted' && view.request === 'Start' && !view.deleting)
    return {do: 'set Always'};
  if (view.run === undefined) return wantsRun(view) ? startInTime(view.retryAt, now) : nothing;
  return wantsGone(view, view.run) ? stop : nothing;
};

const wantsRun = (view: StrategyView): boolean => {
  if (view.deleting) return false;
  switch (view.strategy) {
    case 'Always':
      return true;
    case 'Halted':
      return false;
    case 'RerunOnFailure':
      return view.request === 'Start' || view.startedUnder !== 'RerunOnFailure';
    case 'Manual':
      return view.request === 'Start';
    case 'Once':
      return view.startedUnder !== 'Once';
  }
};

const wantsGone = (view: StrategyView, run: RunView): boolean => {
  if (view.deleting) return true;
  switch (view.strategy) {
    case 'Halted':
      return true;
    case 'Always':
    case 'RerunOnFailure':
      return run.ending !== 'no' || view.request === 'Stop';
    case 'Manual':
      // A run that ended is kept until something is asked: a start takes its place.
      return view.request === 'Stop' || (view.request === 'Start' && run.ending !== 'no');
    case 'Once':
      return view.request === 'Stop';
  }
};

const startInTime = (retryAt: number | undefined, now: number): Intent =>
  retryAt === undefined || retryAt <= now ? {do: 'start'} : {do: 'start later', afterMs: retryAt - now};

/** `running` is the old spelling of Always and Halted; the schema lets only one of the two be given. */
export const runStrategyOf = (spec: {readonly runStrategy?: RunStrategy; readonly running?: boolean}): RunStrategy =>
  spec.runStrategy ?? (spec.running === true ? 'Always' : 'Halted');
