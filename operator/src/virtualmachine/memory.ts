import {isFinal, type RunStrategy, type StartFailure, type StateChangeRequest} from '@wherry/api';
import {type Instance, isDeleting} from '../objects.ts';
import {openRequests} from './requests.ts';
import {runStrategyOf} from './run-strategy.ts';
import {nextStartFailure} from './start-failure.ts';
import {runOf, type World} from './world.ts';

/**
 * What the machine's status remembers from run to run, because the runs themselves go: failed starts, a start that is
 * owed, and the strategy under which it was last started.
 */
export interface Memory {
  readonly startFailure: StartFailure | undefined;
  readonly stateChangeRequests: readonly StateChangeRequest[] | undefined;
  readonly runStrategy: RunStrategy | undefined;
}

/** `run` is the run after this reconcile: one that was just made, too. */
export const nextMemory = (world: World, run: Instance | undefined, now: number, random: () => number): Memory => {
  const requests = requestsOf(world, run);
  return {
    startFailure: startFailureOf(world, now, random),
    stateChangeRequests: requests.length === 0 ? undefined : requests,
    runStrategy: startedUnder(world, run),
  };
};

export const startFailureOf = (world: World, now: number, random: () => number): StartFailure | undefined => {
  const {vm} = world;
  // Where nothing is started again by itself, nothing is held back.
  if (['Halted', 'Manual'].includes(runStrategyOf(vm.spec))) return undefined;
  const run = runOf(world);
  // A run that somebody ended did not fail.
  if (run !== undefined && isDeleting(run)) return vm.status?.startFailure;
  const progress = run === undefined ? undefined : progressOf(run, runStrategyOf(vm.spec));
  return nextStartFailure(vm.status?.startFailure, progress, now, random);
};

const progressOf = (run: Instance, strategy: RunStrategy) => ({
  uid: run.metadata.uid,
  // A guest that powers itself off before it counts as running is started again under Always: not without end, at once.
  failed: run.status?.phase === 'Failed' || (run.status?.phase === 'Succeeded' && strategy === 'Always'),
  hasRun: (run.status?.phaseTransitionTimestamps ?? []).some(({phase}) => phase === 'Running'),
});

/**
 * What is asked of the machine and not done: by others, and the start that RerunOnFailure owes a machine whose guest
 * failed, until there is a new run.
 */
export const requestsOf = (world: World, run: Instance | undefined): readonly StateChangeRequest[] => {
  const {vm} = world;
  if (isDeleting(vm)) return [];
  const strategy = runStrategyOf(vm.spec);
  const {stateChangeRequests = [], runStrategy, created = false} = vm.status ?? {};
  const open = openRequests({
    requests: stateChangeRequests,
    strategy,
    startedUnder: runStrategy,
    run,
    told: created,
  });
  // A run that somebody deletes is not owed another.
  const owed = strategy === 'RerunOnFailure' && run?.status?.phase === 'Failed' && !isDeleting(run);
  return owed && !open.some(({action}) => action === 'Start') ? [...open, {action: 'Start'}] : open;
};

/**
 * Strategies that start only once count as carried out when there is a run under them that lives. A run that is on its
 * way out belongs to the strategy before.
 */
const startedUnder = ({vm}: World, run: Instance | undefined): RunStrategy | undefined => {
  const strategy = runStrategyOf(vm.spec);
  if (strategy === 'Always' || strategy === 'Halted' || strategy === 'Manual') return strategy;
  return run !== undefined && (isAlive(run) || strategy === 'Once') && !isDeleting(run)
    ? strategy
    : vm.status?.runStrategy;
};

const isAlive = (run: Instance): boolean => !isDeleting(run) && !isFinal(run.status?.phase);
