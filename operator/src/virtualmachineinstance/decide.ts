import {type Accelerator, Finalizer, InstanceCondition} from '@wherry/api';
import type {Pod} from '@wherry/kube';
import {findCondition} from '../conditions.ts';
import {hasFinalizer, isDeleting} from '../objects.ts';
import {engineMayLive} from './engine-life.ts';
import {cannotStart, type EventText, guestEnded} from './events.ts';
import {nextStep, type Step} from './phase.ts';
import type {World} from './world.ts';

/** What is to be done about one instance. At most one of each, and nothing when nothing changed. */
export interface Plan {
  readonly finalizer: 'keep' | 'add' | 'remove';
  /** Make the pod, to run with this accelerator. */
  readonly makePod: Accelerator | undefined;
  readonly deletePods: readonly Pod[];
  readonly step: Step;
  readonly events: readonly EventText[];
}

export const decide = (world: World): Plan => {
  const step = nextStep(world);
  return {
    finalizer: finalizer(world),
    makePod: step.to === 'Scheduling' ? step.make : undefined,
    deletePods: podsToDelete(world),
    step,
    events: events(world, step),
  };
};

/**
 * The finalizer goes when nothing of the run is left: no pod in the API, and no engine on any node. It comes before the
 * first pod is made.
 */
const finalizer = (world: World): Plan['finalizer'] => {
  const {vmi, pod, strays, lastWords} = world;
  const present = hasFinalizer(vmi, Finalizer.instance);
  if (!isDeleting(vmi)) return present ? 'keep' : 'add';
  const finished = pod === undefined && strays.length === 0 && !engineMayLive({...world, pod: lastWords});
  return present && finished ? 'remove' : 'keep';
};

/**
 * Deleting the pod is what stops a guest: the kubelet's SIGTERM makes the launcher press the power button. The pod of a
 * guest that ended by itself stays for its logs until the instance goes.
 */
const podsToDelete = ({vmi, pod, strays}: World): readonly Pod[] => {
  const unwanted = isDeleting(vmi) && pod !== undefined ? [pod, ...strays] : strays;
  return unwanted.filter(one => !isDeleting(one));
};

const events = ({vmi}: World, step: Step): readonly EventText[] => {
  if (step.to === 'ended') return [guestEnded(step.ending)];
  if (step.to !== 'Pending') return [];
  const said = findCondition(vmi.status?.conditions, InstanceCondition.Synchronized)?.reason;
  return said === step.problem.reason ? [] : [cannotStart(step.problem)];
};
