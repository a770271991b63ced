import {InstanceCondition} from '@wherry/api';
import type {Pod} from '@wherry/kube';
import {isFalse} from '../conditions.ts';
import {isDeleting} from '../objects.ts';
import type {Runner} from '../pod/runner.ts';
import {causeIsToCome, type Ending, endingOf, vanished} from './ending.ts';
import {engineMayLive} from './engine-life.ts';
import {computeState} from './launcher-pod.ts';
import {isNodeLost, lostWithNode} from './node-loss.ts';
import {checkStart, claimsBound, type Problem} from './start-checks.ts';
import type {World} from './world.ts';

/** What becomes of a run. Running alone is missing: only the node-daemon says that a guest runs. */
export type Step =
  | {readonly to: 'same'}
  | {readonly to: 'Pending'; readonly problem: Problem}
  | {readonly to: 'Scheduling'; readonly make?: Runner}
  /** The hand-over: from here on the daemon of that node may start an engine in that pod, and in no other. */
  | {readonly to: 'Scheduled'; readonly pod: Pod; readonly node: string; readonly image: string}
  /** Its node is not heard of. Only its daemon says that it is Running again. */
  | {readonly to: 'Unknown'}
  | {readonly to: 'ended'; readonly ending: Ending};

const same: Step = {to: 'same'};

export const nextStep = (world: World): Step => {
  const {vmi} = world;
  const phase = vmi.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed') return same;
  const ending = lastEnding(world);
  if (ending !== undefined) return {to: 'ended', ending};
  switch (phase) {
    case undefined:
    case 'Pending':
      return world.pod === undefined ? begin(world) : handOver(world, world.pod, {to: 'Scheduling'});
    case 'Scheduling':
      // Nothing was handed over, so no engine can be alive: the run may end at once.
      return world.pod === undefined ? {to: 'ended', ending: vanished(undefined)} : handOver(world, world.pod, same);
    case 'Scheduled':
    case 'Running':
    case 'WaitingForSync':
    case 'Unknown':
      return handedOver(world);
  }
};

const handedOver = (world: World): Step => {
  // What the API tells of a pod on a node that is off, is old.
  if (world.nodeFenced && !isFalse(world.vmi.status?.conditions, InstanceCondition.EngineActive))
    return {to: 'ended', ending: lostWithNode(world)};
  if (isPodOver(world.pod) && !engineMayLive(world))
    return {to: 'ended', ending: vanished(world.pod ?? world.lastWords)};
  return isNodeLost(world) && world.vmi.status?.phase !== 'Unknown' ? {to: 'Unknown'} : same;
};

/** Gone, or at its end without a word about its container. */
const isPodOver = (pod: Pod | undefined): boolean =>
  pod === undefined || pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';

const lastEnding = ({vmi, pod, lastWords}: World): Ending | undefined => {
  const seen = pod ?? lastWords;
  return seen === undefined || (pod !== undefined && causeIsToCome(pod))
    ? undefined
    : endingOf(seen, {
        wanted: isDeleting(vmi),
        handedOver: vmi.status?.nodeName !== undefined,
        probed: vmi.spec.livenessProbe !== undefined,
      });
};

const begin = (world: World): Step => {
  if (isDeleting(world.vmi)) return same;
  const check = checkStart(world);
  return 'problem' in check ? {to: 'Pending', problem: check.problem} : {to: 'Scheduling', make: check.runner};
};

/** A pod or an instance that is going away is never handed over: its launcher ends by itself. */
const handOver = (world: World, pod: Pod, otherwise: Step): Step => {
  const state = computeState(pod);
  const node = pod.spec?.nodeName;
  if (state.at !== 'running' || node === undefined) return otherwise;
  if (isDeleting(pod) || isDeleting(world.vmi) || !claimsBound(world)) return otherwise;
  return {to: 'Scheduled', pod, node, image: state.image};
};
