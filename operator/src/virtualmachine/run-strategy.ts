import type {RunStrategy} from '@wherry/api';

/**
 * Should an instance exist now? The one place that knows what the run strategies mean.
 *
 * `RerunOnFailure` and `Once` start only once after a switch to them, so they need a memory that outlives the operator:
 * `status.runStrategy` is the strategy that the machine was last started under, and a Start request in
 * `status.stateChangeRequests` says that a failed guest is owed another run.
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
  readonly startRequested: boolean;
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
  /** Nothing to do until something changes. */
  | {readonly do: 'nothing'};

const nothing: Intent = {do: 'nothing'};
const stop: Intent = {do: 'stop'};

export const decideRun = (view: StrategyView, now: number): Intent => {
  if (view.run?.deleting) return nothing;
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
      return view.startRequested || view.startedUnder !== 'RerunOnFailure';
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
      return run.ending !== 'no';
    case 'Once':
      return false;
  }
};

const startInTime = (retryAt: number | undefined, now: number): Intent =>
  retryAt === undefined || retryAt <= now ? {do: 'start'} : {do: 'start later', afterMs: retryAt - now};

/** `running` is the old spelling of Always and Halted; the schema lets only one of the two be given. */
export const runStrategyOf = (spec: {readonly runStrategy?: RunStrategy; readonly running?: boolean}): RunStrategy =>
  spec.runStrategy ?? (spec.running === true ? 'Always' : 'Halted');
