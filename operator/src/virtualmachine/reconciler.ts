import {FieldManager, Finalizer, MachineCondition, Reason, type VirtualMachineInstance} from '@wherry/api';
import {type ApiError, type Client, type Clock, type EventRecorder, type Key, keyOf, type Result} from '@wherry/kube';
import type {Caches} from '../caches.ts';
import {findCondition} from '../conditions.ts';
import {finalizerPatch} from '../finalizers.ts';
import type {Instance, Machine} from '../objects.ts';
import {isRefusal, refusalText} from '../refusal.ts';
import {instances, machines} from '../resources.ts';
import {statusPatch} from '../status-patch.ts';
import {decide, type Plan} from './decide.ts';
import {instanceCreated, instanceDeleted, instanceNotCreated, runFailed} from './events.ts';
import {gather} from './gather.ts';
import {howItEnded} from './how-it-ended.ts';
import {nextStatus} from './next-status.ts';
import {runOf, type World} from './world.ts';

export interface Options {
  readonly client: Client;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly events: EventRecorder;
  /** Numbers in [0, 1), for the jitter of back-offs. */
  readonly random: () => number;
}

interface Acted {
  readonly vm: Machine;
  /** The run as it is now: one that was just made, too. */
  readonly run: Instance | undefined;
  readonly error: ApiError | undefined;
}

const asUs = {fieldManager: FieldManager.operator};

/** A machine that lasts: its instance comes and goes as the run strategy says. */
export class MachineReconciler {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<Result> {
    const {caches, clock, random} = this.#options;
    const world = gather(caches, key);
    if (world === undefined) return;
    const plan = decide(world, clock.now(), random);
    const acted = await this.#act(world, plan, signal);
    await this.#report(world, plan, acted, signal);
    // What was refused is tried again, later and later.
    if (acted.error !== undefined) throw acted.error;
    return plan.afterMs === undefined ? {} : {afterMs: plan.afterMs};
  }

  async #act(world: World, plan: Plan, signal: AbortSignal): Promise<Acted> {
    const run = runOf(world);
    let {vm} = world;
    if (plan.finalizer === 'add') vm = await this.#setFinalizer(vm, 'add', signal);
    if (plan.setAlways) vm = await this.#setAlways(vm, signal);
    if (plan.stop && run !== undefined) await this.#stop(vm, run, signal);
    if (plan.create === undefined) return {vm, run, error: undefined};
    return {vm, ...(await this.#start(vm, plan.create, signal))};
  }

  async #report(world: World, plan: Plan, {vm, run, error}: Acted, signal: AbortSignal): Promise<void> {
    if (plan.finalizer === 'remove') {
      await this.#setFinalizer(vm, 'remove', signal);
      return;
    }
    const {client, clock, events, random} = this.#options;
    const failure = error === undefined ? plan.blocked : {reason: Reason.FailedCreate, message: refusalText(error)};
    const patch = statusPatch(vm.status, nextStatus({...world, vm}, {run, failure}, clock.now(), random));
    if (patch !== undefined) await client.patchStatus(machines, vm, patch, {...asUs, signal});
    for (const event of plan.events) events.event(vm, event);
  }

  async #start(vm: Machine, instance: VirtualMachineInstance, signal: AbortSignal): Promise<Omit<Acted, 'vm'>> {
    const {client, events} = this.#options;
    try {
      const run = await client.create(instances, instance as Instance, {...asUs, signal});
      events.event(vm, instanceCreated(vm.metadata.name));
      return {run, error: undefined};
    } catch (error) {
      // One that the cache has not seen yet: the next reconcile will.
      if (!isRefusal(error) || error.isAlreadyExists) throw error;
      const text = refusalText(error);
      // It is tried again and again, and told once.
      if (findCondition(vm.status?.conditions, MachineCondition.Failure)?.message !== text)
        events.event(vm, instanceNotCreated(vm.metadata.name, text));
      return {run: undefined, error};
    }
  }

  async #stop(vm: Machine, run: Instance, signal: AbortSignal): Promise<void> {
    const {client, events} = this.#options;
    // The instance goes, and its events with it: the machine tells what became of the run.
    if (run.status?.phase === 'Failed') events.event(vm, runFailed(howItEnded(run)));
    await client.delete(instances, keyOf(run), {uid: run.metadata.uid, signal});
    events.event(vm, instanceDeleted(vm.metadata.name));
  }

  /** The one change of a user's spec, as KubeVirt makes it: the reconcile that it brings starts the machine. */
  async #setAlways(vm: Machine, signal: AbortSignal): Promise<Machine> {
    const {client} = this.#options;
    const spec = vm.spec.running === undefined ? {runStrategy: 'Always'} : {running: true};
    const patch = {metadata: {resourceVersion: vm.metadata.resourceVersion}, spec};
    return client.mergePatch(machines, keyOf(vm), patch, {...asUs, signal});
  }

  async #setFinalizer(vm: Machine, change: 'add' | 'remove', signal: AbortSignal): Promise<Machine> {
    const {client} = this.#options;
    const patch = finalizerPatch(vm, Finalizer.virtualMachine, change);
    return client.mergePatch(machines, keyOf(vm), patch, {...asUs, signal});
  }
}
