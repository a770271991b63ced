import {InstanceCondition, isFinal, type PrintableStatus, Reason} from '@wherry/api';
import {findCondition, isTrue} from '../conditions.ts';
import {type Instance, isDeleting, type Machine} from '../objects.ts';
import {claimNames} from '../virtualmachineinstance/world.ts';
import {runStrategyOf} from './run-strategy.ts';
import type {World} from './world.ts';

/** What the machine is like after this reconcile. */
export interface View {
  readonly vm: Machine;
  readonly run: Instance | undefined;
  readonly claims: World['claims'];
  /** Starts that failed in a row. */
  readonly failures: number;
}

type Rule = readonly [PrintableStatus, (view: View) => boolean];

const phaseOf = ({run}: View): string | undefined => run?.status?.phase;
const ended = ({run}: View): boolean => isFinal(run?.status?.phase);
const starting = (view: View): boolean =>
  view.run !== undefined && [undefined, 'Pending', 'Scheduling', 'Scheduled'].includes(phaseOf(view));
const problem = ({run}: View): string | undefined =>
  findCondition(run?.status?.conditions, InstanceCondition.Synchronized)?.reason;
const scheduling = ({run}: View): string | undefined => {
  const condition = findCondition(run?.status?.conditions, InstanceCondition.PodScheduled);
  return condition?.status === 'False' ? condition.reason : undefined;
};
const wantsRest = ({vm}: View): boolean => isDeleting(vm) || runStrategyOf(vm.spec) === 'Halted';
const claims = (view: View): string[] => (view.run === undefined ? [] : claimNames(view.run));
const startsAgain = ({vm}: View): boolean =>
  !isDeleting(vm) && ['Always', 'RerunOnFailure'].includes(runStrategyOf(vm.spec));
const failedEarly = ({run}: View): boolean =>
  run?.status?.phase === 'Failed' &&
  !(run.status.phaseTransitionTimestamps ?? []).some(({phase}) => phase === 'Running');

/**
 * The run is on its way out. KubeVirt says Stopped from the moment that a guest has ended; here the word means that
 * nothing of the run is left, unless it is kept.
 */
const isGoing = (view: View): boolean =>
  view.run !== undefined &&
  (isDeleting(view.run) ||
    wantsRest(view) ||
    (ended(view) && !['Once', 'Manual'].includes(runStrategyOf(view.vm.spec))));

/** KubeVirt has one word for an image that the kubelet does not even try to pull again. */
const noImage = new Set<string>([Reason.ErrImagePull, Reason.ErrImageNeverPull, Reason.InvalidImageName]);

/**
 * The first that holds is what a person reads; the order is KubeVirt's, but that what was known of a guest is not said of
 * one whose node is not heard of.
 */
const rules: readonly Rule[] = [
  ['Terminating', ({vm}) => isDeleting(vm)],
  ['Stopping', view => isGoing(view) && !(startsAgain(view) && failedEarly(view))],
  ['Unknown', view => phaseOf(view) === 'Unknown'],
  ['Paused', ({run}) => isTrue(run?.status?.conditions, InstanceCondition.Paused)],
  ['Running', view => phaseOf(view) === 'Running'],
  ['ErrorPvcNotFound', view => starting(view) && claims(view).some(name => !view.claims.has(name))],
  [
    'ErrorUnschedulable',
    view => starting(view) && (scheduling(view) === Reason.Unschedulable || problem(view) === Reason.NoUsableKvm),
  ],
  [
    'WaitingForVolumeBinding',
    view => starting(view) && claims(view).some(name => view.claims.get(name)?.status?.phase !== 'Bound'),
  ],
  ['ErrImagePull', view => starting(view) && noImage.has(problem(view) ?? '')],
  ['ImagePullBackOff', view => starting(view) && problem(view) === Reason.ImagePullBackOff],
  ['Starting', starting],
  [
    'CrashLoopBackOff',
    view => startsAgain(view) && (failedEarly(view) || (view.run === undefined && view.failures > 0)),
  ],
  ['Stopped', view => view.run === undefined || ended(view)],
];

export const printableStatus = (view: View): PrintableStatus =>
  rules.find(([, holds]) => holds(view))?.[0] ?? 'Unknown';
