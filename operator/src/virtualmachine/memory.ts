import {isFinal, type RunStrategy, type StartFailure, type StateChangeRequest} from '@wherry/api';
import {type Instance, isDeleting} from '../objects.ts';
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
  const owed = run !== undefined && isAlive(run) ? undefined : owedStart(world);
  return {
    startFailure: startFailureOf(world, now, random),
    stateChangeRequests: owed === undefined ? undefined : [owed],
    runStrategy: startedUnder(world, run),
  };
};

export const startFailureOf = (world: World, now: number, random: () => number): StartFailure | undefined => {
  const {vm} = world;
  if (runStrategyOf(vm.spec) === 'Halted') return undefined;
  const run = runOf(world);
  // A run that somebody ended did not fail.
  if (run !== undefined && isDeleting(run)) return vm.status?.startFailure;
  return nextStartFailure(vm.status?.startFailure, run === undefined ? undefined : progressOf(run), now, random);
};

const progressOf = (run: Instance) => ({
  uid: run.metadata.uid,
  failed: run.status?.phase === 'Failed',
  hasRun: (run.status?.phaseTransitionTimestamps ?? []).some(({phase}) => phase === 'Running'),
});

/** The start that RerunOnFailure owes a machine whose guest failed, until there is a new run. */
export const owedStart = (world: World): StateChangeRequest | undefined => {
  const {vm} = world;
  const run = runOf(world);
  const requested = vm.status?.stateChangeRequests?.find(({action}) => action === 'Start');
  if (runStrategyOf(vm.spec) !== 'RerunOnFailure' || isDeleting(vm)) return undefined;
  // A run that somebody deletes is not owed another.
  if (run?.status?.phase === 'Failed' && !isDeleting(run)) return requested ?? {action: 'Start'};
  return requested;
};

/**
 * Strategies that start only once count as carried out when there is a run under them that lives. A run that is on its
 * way out belongs to the strategy before.
 */
const startedUnder = ({vm}: World, run: Instance | undefined): RunStrategy | undefined => {
  const strategy = runStrategyOf(vm.spec);
  if (strategy === 'Always' || strategy === 'Halted') return strategy;
  return run !== undefined && (isAlive(run) || strategy === 'Once') && !isDeleting(run)
    ? strategy
    : vm.status?.runStrategy;
};

const isAlive = (run: Instance): boolean => !isDeleting(run) && !isFinal(run.status?.phase);
