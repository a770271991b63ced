import {isFinal, type RunStrategy, type StateChangeRequest} from '@wherry/api';
import {type Instance, isDeleting} from '../objects.ts';

/**
 * What was asked of a machine in `status.stateChangeRequests`, as KubeVirt has it: `Start`, and `Stop` with the uid of the
 * run that is meant; `Stop` with `Start` behind it is a restart. They are carried out in their order, each until it is
 * done, and then taken off the list. What each means to a run strategy stands in run-strategy.ts.
 */
export interface Asked {
  readonly requests: readonly StateChangeRequest[];
  readonly strategy: RunStrategy;
  /** `status.runStrategy`: the strategy that the machine was last seen under. */
  readonly startedUnder: string | undefined;
  readonly run: Instance | undefined;
  /** The status tells already of a run. */
  readonly told: boolean;
}

/** The requests that are left, of which the first is to be carried out. */
export const openRequests = (asked: Asked): readonly StateChangeRequest[] => {
  // Who halts a machine takes back what was asked of it before.
  if (asked.strategy === 'Halted' && asked.startedUnder !== 'Halted') return [];
  // It has had its start, or will have it unasked.
  const requests = asked.requests.filter(({action}) => action === 'Stop' || asked.strategy !== 'Once');
  const next = requests.findIndex(request => !isDone(request, asked));
  return next === -1 ? [] : requests.slice(next);
};

const isDone = ({action, uid}: StateChangeRequest, {run, told}: Asked): boolean => {
  // A run that is stopped is waited for: what is asked next finds none. Another run is not the one that was meant.
  if (action === 'Stop') return run === undefined || run.metadata.uid !== uid;
  if (run === undefined || isDeleting(run)) return false;
  // A run that ended before the status told of it was this start; else the start was asked for after that end.
  return !isFinal(run.status?.phase) || !told;
};

/** A start whose guest is to wait until it is resumed. */
export const isPaused = (request: StateChangeRequest | undefined): boolean => request?.data?.['paused'] === 'true';
