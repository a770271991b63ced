import {FieldManager, Finalizer, Label, InstanceCondition, Reason} from '@wherry/api';
import {
  type ApiError,
  type Client,
  type Clock,
  core,
  type EventRecorder,
  type Key,
  keyOf,
  type Pod,
  policy,
  type Result,
} from '@wherry/kube';
import type {Caches} from '../caches.ts';
import {finalizerPatch} from '../finalizers.ts';
import {controllerUid, type Instance, isDeleting} from '../objects.ts';
import {renderBudget} from '../pod/budget.ts';
import {renderPod} from '../pod/render.ts';
import type {Runner} from '../pod/runner.ts';
import {findCondition} from '../conditions.ts';
import {isRefusal, refusalText} from '../refusal.ts';
import {instances} from '../resources.ts';
import {statusPatch} from '../status-patch.ts';
import {decide, type Plan, type PodDeletion} from './decide.ts';
import {instanceGone, podCreated, podDeleted, podNotCreated} from './events.ts';
import {gather, type Sources} from './gather.ts';
import {nextStatus} from './next-status.ts';
import type {World} from './world.ts';

export interface Options extends Sources {
  readonly client: Client;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly events: EventRecorder;
}

/** What acting on a plan changed: the instance as it is now, and what the API server refused. */
interface Acted {
  readonly vmi: Instance;
  readonly error: ApiError | undefined;
}

/** It is tried again and again, and told once. */
const saidAlready = ({status}: Instance, error: ApiError): boolean =>
  findCondition(status?.conditions, InstanceCondition.Synchronized)?.message === refusalText(error);

const asUs = {fieldManager: FieldManager.operator};

/** One run of a machine: its pod, its phase, its end. */
export class InstanceReconciler {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<Result> {
    const world = await gather(this.#options, key, signal);
    if (world === undefined) return;
    const plan = decide(world);
    const acted = await this.#act(world, plan, signal);
    await this.#report(world, plan, acted, signal);
    // What was refused is tried again, later and later.
    if (acted.error !== undefined) throw acted.error;
    return world.lookAgainMs === undefined ? {} : {afterMs: world.lookAgainMs};
  }

  async #act(world: World, plan: Plan, signal: AbortSignal): Promise<Acted> {
    let {vmi} = world;
    if (plan.finalizer === 'add') vmi = await this.#setFinalizer(vmi, 'add', signal);
    if (plan.labelNode !== undefined) vmi = await this.#labelNode(vmi, plan.labelNode, signal);
    if (plan.protect) await this.#protect(vmi, signal);
    if (plan.unprotect)
      await this.#options.client.delete(policy.podDisruptionBudgets, keyOf(renderBudget(vmi)), {signal});
    for (const deletion of plan.deletePods) await this.#deletePod(vmi, deletion, signal);
    const error = plan.makePod === undefined ? undefined : await this.#makePod(world, vmi, plan.makePod, signal);
    return {vmi, error};
  }

  async #report(world: World, plan: Plan, {vmi, error}: Acted, signal: AbortSignal): Promise<void> {
    const {client, clock, events} = this.#options;
    if (plan.finalizer === 'remove') {
      await this.#setFinalizer(vmi, 'remove', signal);
      events.event(vmi, instanceGone);
      return;
    }
    const failed = error === undefined ? undefined : {reason: Reason.FailedCreate, message: refusalText(error)};
    const patch = statusPatch(vmi.status, nextStatus({...world, vmi}, plan.step, failed, clock.now()));
    if (patch !== undefined) await client.patchStatus(instances, vmi, patch, {...asUs, signal});
    for (const event of plan.events) events.event(vmi, event);
  }

  /** Makes the pod of the run; returns the API server's refusal, if it refused. */
  async #makePod(world: World, vmi: Instance, runner: Runner, signal: AbortSignal): Promise<ApiError | undefined> {
    const {client, events} = this.#options;
    const pod = renderPod(vmi, runner, world.config, world.claims);
    const name = pod.metadata.name ?? '';
    try {
      await client.create(core.pods, pod, {...asUs, signal});
      events.event(vmi, podCreated(name));
      return undefined;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (error.isAlreadyExists && (await this.#isOurs(vmi, pod, signal))) return undefined;
      if (!saidAlready(vmi, error)) events.event(vmi, podNotCreated(name, refusalText(error)));
      return error;
    }
  }

  /** The pod was made before, by a reconcile that was cut off, and the cache has not seen it yet. */
  async #isOurs(vmi: Instance, pod: Pod, signal: AbortSignal): Promise<boolean> {
    const existing = await this.#options.client.get(core.pods, keyOf(pod), signal);
    return existing !== undefined && controllerUid(existing) === vmi.metadata.uid;
  }

  async #deletePod(vmi: Instance, {pod, atOnce}: PodDeletion, signal: AbortSignal): Promise<void> {
    const {client, events} = this.#options;
    const {uid} = pod.metadata;
    const options = {...(uid === undefined ? {} : {uid}), ...(atOnce ? {gracePeriodSeconds: 0} : {}), signal};
    const deleted = await client.delete(core.pods, keyOf(pod), options);
    // Said once: the second call for a pod that ended meanwhile only hurries its removal.
    if (deleted && !isDeleting(pod)) events.event(vmi, podDeleted(pod.metadata.name ?? ''));
  }

  async #protect(vmi: Instance, signal: AbortSignal): Promise<void> {
    const {client} = this.#options;
    await client.apply(policy.podDisruptionBudgets, renderBudget(vmi), {...asUs, force: true, signal});
  }

  /** Before the status that hands the run over: whoever acts on that status finds the label. */
  async #labelNode(vmi: Instance, node: string, signal: AbortSignal): Promise<Instance> {
    const {client} = this.#options;
    const {resourceVersion} = vmi.metadata;
    const patch = {metadata: {resourceVersion, labels: {[Label.nodeName]: node}}};
    return client.mergePatch(instances, keyOf(vmi), patch, {...asUs, signal});
  }

  async #setFinalizer(vmi: Instance, change: 'add' | 'remove', signal: AbortSignal): Promise<Instance> {
    const {client} = this.#options;
    const patch = finalizerPatch(vmi, Finalizer.instance, change);
    return client.mergePatch(instances, keyOf(vmi), patch, {...asUs, signal});
  }
}
