import {
  type ConditionReason,
  Finalizer,
  InstanceCondition,
  isFinal,
  MachineCondition,
  Reason,
  type VirtualMachineInstance,
} from '@wherry/api';
import {findCondition} from '../conditions.ts';
import {hasFinalizer, isDeleting} from '../objects.ts';
import {sameJson} from '../status-patch.ts';
import {unsupportedIn} from '../unsupported.ts';
import {type EventText, instanceNotCreated, nodeUnresponsive} from './events.ts';
import {instanceOf} from './instance.ts';
import {requestsOf, startFailureOf} from './memory.ts';
import {isPaused} from './requests.ts';
import {decideRun, type Intent, type RunView, runStrategyOf} from './run-strategy.ts';
import {retryAt} from './start-failure.ts';
import {isOrphaning, obstacleOf, runOf, type World} from './world.ts';

/** What keeps a machine from being started until somebody changes something. */
export interface Blockade {
  readonly reason: ConditionReason;
  readonly message: string;
}

/** What is to be done about one machine. */
export interface Plan {
  readonly finalizer: 'keep' | 'add' | 'remove';
  readonly create: VirtualMachineInstance | undefined;
  /** Change the run strategy from Halted to Always, in the user's spec. */
  readonly setAlways: boolean;
  /** Delete the run: that is how a machine is stopped. */
  readonly stop: boolean;
  /** Why nothing can be created although it should be. */
  readonly blocked: Blockade | undefined;
  readonly events: readonly EventText[];
  /** Come back after so many milliseconds even if nothing changes. */
  readonly afterMs: number | undefined;
}

/** `random` gives numbers in [0, 1), for the back-off's jitter. */
export const decide = (world: World, now: number, random: () => number): Plan => {
  const intent = intentOf(world, now, random);
  const starts = intent.do === 'start';
  const blocked = starts ? blockade(world) : undefined;
  // An obstacle that is going away is only waited for.
  const clear = blocked === undefined && obstacleOf(world) === undefined;
  return {
    finalizer: finalizer(world),
    create: starts && clear ? instanceOf(world.vm, isPaused(requestsOf(world, undefined)[0])) : undefined,
    setAlways: intent.do === 'set Always',
    stop: intent.do === 'stop' && endIsRecorded(world, now, random),
    blocked,
    events: events(world, blocked),
    afterMs: intent.do === 'start later' ? intent.afterMs : undefined,
  };
};

const intentOf = (world: World, now: number, random: () => number): Intent => {
  const {vm} = world;
  if (isOrphaning(vm)) return {do: 'nothing'};
  return decideRun(
    {
      strategy: runStrategyOf(vm.spec),
      startedUnder: vm.status?.runStrategy,
      request: requestsOf(world, runOf(world))[0]?.action,
      deleting: isDeleting(vm),
      run: runView(world),
      retryAt: retryAt(startFailureOf(world, now, random)),
    },
    now,
  );
};

const runView = (world: World): RunView | undefined => {
  const run = runOf(world);
  if (run === undefined) return undefined;
  const phase = run.status?.phase;
  return {ending: phase === 'Succeeded' || phase === 'Failed' ? phase : 'no', deleting: isDeleting(run)};
};

/**
 * How a run ended is known only from the run, so it is written into the machine's status before the run is deleted.
 * The write brings the next reconcile, which deletes.
 */
const endIsRecorded = (world: World, now: number, random: () => number): boolean => {
  const run = runOf(world);
  if (!isFinal(run?.status?.phase) || isDeleting(world.vm)) return true;
  const {startFailure, stateChangeRequests = []} = world.vm.status ?? {};
  return (
    sameJson(startFailure, startFailureOf(world, now, random)) && sameJson(stateChangeRequests, requestsOf(world, run))
  );
};

/** On before the first instance is made, off when the run is gone, so that the guest never outlives its machine. */
const finalizer = (world: World): Plan['finalizer'] => {
  const {vm} = world;
  const present = hasFinalizer(vm, Finalizer.virtualMachine);
  if (!isDeleting(vm)) return present ? 'keep' : 'add';
  return present && (isOrphaning(vm) || runOf(world) === undefined) ? 'remove' : 'keep';
};

const blockade = (world: World): Blockade | undefined => {
  const {metadata} = world.vm.spec.template;
  const unsupported = unsupportedIn({spec: world.vm.spec, annotations: metadata?.annotations});
  if (unsupported !== undefined) return {reason: Reason.NotSupported, message: unsupported};
  const obstacle = obstacleOf(world);
  if (obstacle === undefined || isDeleting(obstacle)) return undefined;
  return {reason: Reason.FailedCreate, message: foreign(world)};
};

const events = (world: World, blocked: Blockade | undefined): readonly EventText[] => [
  ...blockadeEvents(world, blocked),
  ...nodeEvents(world),
];

/** A blockade is said once, and again when it becomes another. */
const blockadeEvents = ({vm}: World, blocked: Blockade | undefined): readonly EventText[] => {
  if (blocked === undefined) return [];
  const said = findCondition(vm.status?.conditions, MachineCondition.Failure);
  return said?.message === blocked.message ? [] : [instanceNotCreated(vm.metadata.name, blocked.message)];
};

/** The owner of a machine reads of a lost node where he looks first. */
const nodeEvents = (world: World): readonly EventText[] => {
  const ready = findCondition(runOf(world)?.status?.conditions, InstanceCondition.Ready);
  if (ready?.reason !== Reason.NodeUnresponsive) return [];
  const said = findCondition(world.vm.status?.conditions, MachineCondition.Ready);
  return said?.message === ready.message ? [] : [nodeUnresponsive(ready.message ?? '')];
};

const foreign = ({vm}: World): string =>
  `VirtualMachineInstance ${vm.metadata.name} exists in namespace ${vm.metadata.namespace} and does not belong to this ` +
  `virtual machine: delete it, or give the virtual machine another name`;
