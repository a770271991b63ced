import {
  Annotation,
  type ConditionReason,
  endReasonOf,
  InstanceCondition,
  MachineCondition,
  type MachineStatus,
  Reason,
} from '@wherry/api';
import {
  type Condition,
  findCondition,
  type Statement,
  type Verdict,
  withCondition,
  withoutCondition,
} from '../conditions.ts';
import {type Instance, type Machine} from '../objects.ts';
import {outdatedFields} from './instance.ts';
import {howItEnded} from './how-it-ended.ts';
import {type Memory, nextMemory} from './memory.ts';
import {printableStatus} from './printable-status.ts';
import {restartMessage} from './restart-required.ts';
import type {World} from './world.ts';

/** What came of the plan: the run as it is now, and what the API refused. */
export interface Outcome {
  readonly run: Instance | undefined;
  readonly failure: {readonly reason: ConditionReason; readonly message: string} | undefined;
}

/** The whole status of the machine after this reconcile. */
export const nextStatus = (world: World, outcome: Outcome, now: number, random: () => number): MachineStatus => {
  const {vm} = world;
  const {run} = outcome;
  const memory = nextMemory(world, run, now, random);
  const failures = memory.startFailure?.consecutiveFailCount ?? 0;
  const outdated = run === undefined ? [] : outdatedFields(vm, run);
  const failing = failureVerdict(vm, outcome, memory);
  const conditions = nextConditions(vm, outcome, failing, outdated, now);
  return {
    ...without(vm.status ?? {}, ['startFailure', 'stateChangeRequests', 'runStrategy']),
    ...given(memory),
    printableStatus: printableStatus({vm, run, claims: world.claims, failures}),
    created: run !== undefined,
    ready: findCondition(conditions, MachineCondition.Ready)?.status === 'True',
    conditions,
    ...generations(vm, run, outdated),
  };
};

/** The instance is up to date with the newest generation unless a field of its template changed. */
const generations = (
  vm: Machine,
  run: Instance | undefined,
  outdated: readonly string[],
): Pick<MachineStatus, 'observedGeneration' | 'desiredGeneration'> => {
  const generation = vm.metadata.generation ?? 0;
  const started = Number(run?.metadata.annotations?.[Annotation.vmGeneration]);
  return {
    observedGeneration: outdated.length === 0 || Number.isNaN(started) ? generation : started,
    desiredGeneration: generation,
  };
};

const nextConditions = (
  vm: Machine,
  {run}: Outcome,
  failing: Statement | undefined,
  outdated: readonly string[],
  now: number,
): readonly Condition[] => {
  let list: readonly Condition[] = vm.status?.conditions ?? [];
  const copied = copiedConditions(run);
  const current = new Set<string>([...own, ...copied.map(({type}) => type)]);
  for (const {type} of list) if (!current.has(type)) list = withoutCondition(list, type);
  for (const verdict of [readyVerdict(run), ...copied]) list = withCondition(list, verdict, now);
  list = failing === undefined ? withoutCondition(list, MachineCondition.Failure) : withCondition(list, failing, now);
  return outdated.length === 0
    ? withoutCondition(list, MachineCondition.RestartRequired)
    : withCondition(list, restartRequired(outdated), now);
};

/**
 * What the API server refuses now; else how the last start failed, for as long as failed starts are counted: the run
 * that failed is gone by then, and this is all that is left of it.
 */
const failureVerdict = (vm: Machine, {run, failure}: Outcome, {startFailure}: Memory): Statement | undefined => {
  const type = MachineCondition.Failure;
  if (failure !== undefined) return {type, status: 'True', ...failure};
  if (startFailure === undefined) return undefined;
  if (run !== undefined && startFailure.lastFailedVMIUID === run.metadata.uid)
    return {type, status: 'True', ...howItEnded(run)};
  const before = findCondition(vm.status?.conditions, type);
  return endReasonOf(before?.reason) === undefined ? undefined : before;
};

/** An instance that was just made says nothing yet; it will say this, and saying it now saves a write. */
const unseen: Verdict = {
  type: MachineCondition.Ready,
  status: 'False',
  reason: Reason.GuestNotRunning,
  message: 'the guest is being started',
};

const noRun: Verdict = {
  type: MachineCondition.Ready,
  status: 'False',
  reason: Reason.VmiNotExists,
  message: 'VMI does not exist',
};

const readyVerdict = (run: Instance | undefined): Statement => {
  if (run === undefined) return noRun;
  const ready = findCondition(run.status?.conditions, InstanceCondition.Ready);
  return ready === undefined ? unseen : verdictOf(ready);
};

/** Conditions that the machine says in its own words. */
const own: readonly string[] = [MachineCondition.Ready, MachineCondition.Failure, MachineCondition.RestartRequired];
const internal = new Set<string>([...own, InstanceCondition.EngineActive]);

/**
 * Conditions of the instance are copied up. While a guest starts only complaints are, so that an undisturbed start costs
 * one status write less.
 */
const copiedConditions = (run: Instance | undefined): readonly Statement[] => {
  const conditions = (run?.status?.conditions ?? []).filter(({type}) => !internal.has(type));
  const {phase} = run?.status ?? {};
  const settled = phase === 'Running' || phase === 'Unknown' || phase === 'Succeeded' || phase === 'Failed';
  return conditions.filter(({status}) => settled || status === 'False').map(verdictOf);
};

const verdictOf = ({type, status, reason, message}: Condition): Statement => ({
  type,
  status,
  ...(reason === undefined ? {} : {reason}),
  ...(message === undefined ? {} : {message}),
});

const restartRequired = (fields: readonly string[]): Verdict => ({
  type: MachineCondition.RestartRequired,
  status: 'True',
  reason: Reason.SpecChanged,
  message: restartMessage(fields),
});

const without = <T extends object>(value: T, keys: readonly (keyof T)[]): T =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key as keyof T))) as T;

const given = <T extends object>(value: T): {[K in keyof T]?: Exclude<T[K], undefined>} =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as never;
