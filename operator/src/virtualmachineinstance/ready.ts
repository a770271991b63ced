import {type ConditionReason, GUEST_PAUSED, InstanceCondition, type InstanceStatus, isFinal, Reason} from '@wherry/api';
import {findCondition, isFalse, isTrue, type Statement, type Verdict} from '../conditions.ts';
import {isDeleting} from '../objects.ts';
import {podCondition} from './launcher-pod.ts';
import {unresponsive} from './node-loss.ts';
import type {World} from './world.ts';

/**
 * Is the guest ready? `status` is the status that is about to be written, `problem` what keeps the guest from starting. An instance that is ready stays so in the words of whoever found it first: the daemon says it
 * together with phase Running.
 */
export const readyVerdict = (status: InstanceStatus, world: World, problem?: string): Statement => {
  const verdict = judge(status, world, problem ?? starting);
  const before = findCondition(status.conditions, InstanceCondition.Ready);
  return verdict.status === 'True' && before?.status === 'True' ? before : verdict;
};

const judge = (status: InstanceStatus, world: World, waitsFor: string): Verdict => {
  const {pod} = world;
  if (isFinal(status.phase)) return notReady(Reason.GuestNotRunning, 'the guest has ended');
  if (status.phase === 'Unknown') return {type: InstanceCondition.Ready, status: 'False', ...unresponsive(world)};
  if (pod === undefined) return withoutPod(status, world, waitsFor);
  if (isDeleting(pod)) return notReady(Reason.PodTerminating, 'the pod of the guest is being deleted');
  if (status.phase !== 'Running') return notReady(Reason.GuestNotRunning, waitsFor);
  const engine = findCondition(status.conditions, InstanceCondition.EngineActive);
  if (engine?.status === 'Unknown') return notReady(Reason.EngineUnresponsive, engine.message ?? 'the engine hangs');
  if (isTrue(status.conditions, InstanceCondition.Paused)) return notReady(Reason.GuestPaused, GUEST_PAUSED);
  const ready = podCondition(pod, 'Ready');
  if (ready === undefined) return notReady(Reason.PodConditionMissing, 'the pod has no Ready condition yet');
  if (ready.status === 'True') return {type: InstanceCondition.Ready, status: 'True', reason: Reason.GuestRunning};
  return unready(ready.reason ?? '', ready.message ?? 'the pod of the guest is not ready');
};

/** The kubelet's words for a pod that is not ready, as far as the list has them. */
const podReasons = [Reason.ContainersNotReady, Reason.ReadinessGatesNotReady, Reason.PodCompleted];

const unready = (word: string, message: string): Verdict => {
  const known = podReasons.find(reason => reason === word);
  if (known !== undefined) return notReady(known, message);
  return notReady(Reason.PodNotReady, word === '' ? message : `${word}: ${message}`);
};

const starting = 'the guest is being started';

const withoutPod = (status: InstanceStatus, {nodeReady, daemon}: World, waitsFor: string): Verdict => {
  const node = status.nodeName;
  if (node === undefined) return notReady(Reason.GuestNotRunning, waitsFor);
  if (isFalse(status.conditions, InstanceCondition.EngineActive))
    return notReady(Reason.PodNotExists, 'the pod of the guest is gone');
  const remedy =
    daemon === 'answers' && !nodeReady
      ? `It answers, but the kubelet does not: repair that, or switch the machine off before you fence it`
      : `If that node is lost for good, delete its Node or taint it node.kubernetes.io/out-of-service`;
  return notReady(
    Reason.PodNotExists,
    `the pod of the guest is gone, but its engine may still run: waiting for the node-daemon of ${node}. ${remedy}`,
  );
};

const notReady = (reason: ConditionReason, message: string): Verdict => ({
  type: InstanceCondition.Ready,
  status: 'False',
  reason,
  message,
});
