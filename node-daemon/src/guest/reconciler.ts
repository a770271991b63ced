/** One guest of this node: gather → decide → act → report. */
import {EventReason, isFinal, type InstanceStatus, type VirtualMachineInstance} from '@wherry/api';
import type {Clock, Key} from '@wherry/kube';
import {keyText} from '@wherry/kube';
import {isDaemonError, messageOf} from '../errors.ts';
import type {Engines} from '../engine/engines.ts';
import type {Log} from '../log.ts';
import {decide, hasRun, type Step} from './decide.ts';
import {GuestFacts, type Sources} from './facts.ts';
import {type PauseCommand, pauseNews} from './pausing.ts';
import {PodLink, type PodLinkOptions} from './pod-link.ts';
import {activePodOn, checkEngine, engineOf} from './selection.ts';
import {hangNews} from './hanging.ts';
import {blockedStatus, goneStatus, hungStatus, runningStatus} from './status.ts';

/** Where instances come from and go to. */
export interface Instances {
  get(key: Key): VirtualMachineInstance | undefined;
  /** A merge patch on the status that holds only for the version of the object that was decided on. */
  patchStatus(vmi: VirtualMachineInstance, status: InstanceStatus, signal: AbortSignal): Promise<void>;
  /** The instance as the API server has it now, whatever node it is on. */
  ask(key: Key, signal: AbortSignal): Promise<VirtualMachineInstance | undefined>;
}

export type GuestEvent = (typeof EventReason)[
  | 'Created'
  | 'Started'
  | 'Paused'
  | 'Resumed'
  | 'IoError'
  | 'EngineUnresponsive'
  | 'EngineResponsive'
  | 'SyncFailed'];

/** Tells users what happened. Never throws. */
export type Tell = (vmi: VirtualMachineInstance, what: GuestEvent, message: string) => void;

export interface GuestReconcilerOptions {
  readonly node: string;
  readonly instances: Instances;
  /** Hands the guest to its launcher; safe to repeat. Resolves when the launcher has taken the plan. */
  readonly start: (vmi: VirtualMachineInstance, link: PodLink, signal: AbortSignal) => Promise<void>;
  readonly sources: Sources;
  readonly engines: Engines;
  readonly link: Pick<PodLinkOptions, 'host' | 'pods' | 'peerProblem' | 'podHasProcesses' | 'timeoutMs'>;
  /** Asks for another turn of this guest, after so many milliseconds. */
  readonly wake: (key: Key, afterMs?: number) => void;
  readonly tell: Tell;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is held of one guest; all of it can be found again after a restart. */
export interface Guest {
  readonly key: Key;
  /** Of the run. */
  readonly uid: string | undefined;
  readonly link: PodLink;
  readonly facts: GuestFacts;
}

type Turn = {readonly afterMs?: number};

/** How soon an engine is asked again that did not answer a daemon that has just started. */
const HUNG_MS = 2000;

export class GuestReconciler {
  readonly #options: GuestReconcilerOptions;
  readonly #guests = new Map<string, Guest>();

  constructor(options: GuestReconcilerOptions) {
    this.#options = options;
  }

  /** The guests whose launchers are held now. */
  get guests(): readonly Guest[] {
    return [...this.#guests.values()];
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<Turn> {
    const {instances, node, clock} = this.#options;
    const vmi = instances.get(key);
    const podUid = vmi === undefined || isFinal(vmi.status?.phase) ? undefined : activePodOn(node, vmi);
    const unknown = {vmi, podUid, launcher: {at: 'unknown'}, ioRetryDue: false} as const;
    if (vmi === undefined || podUid === undefined || decide(unknown, clock.now()).do === 'forget') {
      await this.#letGo(key, signal);
      return {};
    }
    const guest = await this.#guest(vmi, podUid, signal);
    try {
      const launcher = await guest.link.refresh();
      const world = {vmi, podUid, launcher, ioRetryDue: guest.facts.ioRetryDue()};
      return await this.#act(decide(world, clock.now()), vmi, guest, signal);
    } catch (error) {
      if (!isDaemonError(error, 'TIMED_OUT') || !hasRun(vmi)) throw error;
      return this.#reportHung(vmi, guest, signal);
    }
  }

  /** Lets go of all launchers; their guests run on. */
  close(): void {
    for (const {key} of this.guests) this.#forget(key);
  }

  async #act(step: Step, vmi: VirtualMachineInstance, guest: Guest, signal: AbortSignal): Promise<Turn> {
    switch (step.do) {
      case 'forget':
        await this.#letGo(guest.key, signal);
        return {};
      case 'wait':
        return step.afterMs === undefined ? {} : {afterMs: step.afterMs};
      case 'start':
        return this.#start(vmi, guest, signal);
      case 'reportRunning':
        if (step.command !== undefined) await this.#tellEngine(step.command, guest);
        return this.#reportRunning(vmi, guest, signal);
      case 'reportGone': {
        const status = goneStatus(vmi.status, step.why, step.message, this.#options.clock.now());
        this.#options.log.info({vmi: keyText(guest.key), why: step.why}, 'engine of the guest is gone');
        return this.#report(vmi, status, signal);
      }
      case 'complain':
        this.#options.log.error({vmi: keyText(guest.key), problem: step.message}, 'guest is not as it should be');
        this.#options.tell(vmi, EventReason.SyncFailed, step.message);
        return {};
    }
  }

  async #start(vmi: VirtualMachineInstance, guest: Guest, signal: AbortSignal): Promise<Turn> {
    const {start, clock, log, tell} = this.#options;
    const begun = clock.monotonic();
    try {
      checkEngine(vmi);
      await start(vmi, guest.link, signal);
      guest.link.planned();
      log.info({vmi: keyText(guest.key), ms: Math.round(clock.monotonic() - begun)}, 'guest handed to its launcher');
      tell(vmi, EventReason.Created, 'VirtualMachineInstance defined.');
      return {};
    } catch (error) {
      // The launcher may have taken the plan although its answer was lost: it is asked anew.
      guest.link.disconnect();
      const status = blockedStatus(vmi.status, messageOf(error), clock.now());
      if (status !== undefined) tell(vmi, EventReason.SyncFailed, messageOf(error));
      await this.#report(vmi, status, signal);
      throw error;
    }
  }

  /** The engine's own event changes what is known of the guest, not its answer. */
  async #tellEngine(command: PauseCommand, {key, link, facts}: Guest): Promise<void> {
    this.#options.log.info({vmi: keyText(key), command}, 'guest paused or resumed');
    if (command === 'resume') facts.resumed();
    await link.engine[command]();
  }

  async #reportRunning(vmi: VirtualMachineInstance, guest: Guest, signal: AbortSignal): Promise<Turn> {
    const facts = await guest.facts.gather(vmi);
    const first = !hasRun(vmi);
    await this.#report(vmi, runningStatus(vmi.status, facts, this.#options.clock.now()), signal);
    if (first) {
      this.#options.log.info({vmi: keyText(guest.key)}, 'guest runs');
      this.#options.tell(vmi, EventReason.Started, 'VirtualMachineInstance started.');
    }
    for (const news of [pauseNews(vmi.status, facts), hangNews(vmi.status, facts.hangs)])
      if (news !== undefined) this.#options.tell(vmi, news.what, news.message);
    const {dueMs} = guest.facts;
    return dueMs === undefined ? {} : {afterMs: dueMs};
  }

  /** A daemon that starts anew finds an engine that does not answer: then nothing else can be said of its guest. */
  async #reportHung(vmi: VirtualMachineInstance, {key}: Guest, signal: AbortSignal): Promise<Turn> {
    const {log, tell, clock} = this.#options;
    log.warn({vmi: keyText(key)}, 'engine of the guest does not answer');
    await this.#report(vmi, hungStatus(vmi.status, clock.now()), signal);
    const news = hangNews(vmi.status, true);
    if (news !== undefined) tell(vmi, news.what, news.message);
    return {afterMs: HUNG_MS};
  }

  async #report(vmi: VirtualMachineInstance, status: InstanceStatus | undefined, signal: AbortSignal): Promise<Turn> {
    if (status !== undefined) await this.#options.instances.patchStatus(vmi, status, signal);
    return {};
  }

  async #guest(vmi: VirtualMachineInstance, podUid: string, signal: AbortSignal): Promise<Guest> {
    const {name = '', namespace, uid} = vmi.metadata;
    const key: Key = namespace === undefined ? {name} : {namespace, name};
    const known = this.#guests.get(keyText(key));
    if (known?.link.podUid === podUid) return known;
    // An instance of the same name, but another run.
    await this.#letGo(key, signal);
    const {sources, wake, clock, log} = this.#options;
    const engine = this.#options.engines[engineOf(vmi)];
    const link = new PodLink({
      ...this.#options.link,
      engine,
      podUid,
      onChange: afterMs => wake(key, afterMs),
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      log,
    });
    const facts = new GuestFacts({
      sources,
      link,
      engine,
      clock,
      onNews: () => wake(key),
      log,
    });
    const guest = {key, uid, link, facts};
    this.#guests.set(keyText(key), guest);
    return guest;
  }

  /**
   * The run is over, says the API: on proof that its engine is gone, or because its node was fenced. An engine that lives
   * all the same was fenced, and its successor may run elsewhere, on the same disks: it is ended at once, and not asked to
   * shut down. This is the one case in which the daemon ends a guest.
   */
  async #letGo(key: Key, signal: AbortSignal): Promise<void> {
    const known = this.#guests.get(keyText(key));
    if (known?.link.alive === true && (await this.#isOver(known, signal))) await this.#endFenced(known);
    this.#forget(key);
  }

  /** On this an engine is ended, so the API server itself must say it. */
  async #isOver({key, uid}: Guest, signal: AbortSignal): Promise<boolean> {
    const now = await this.#options.instances.ask(key, signal);
    return now === undefined || now.metadata.uid !== uid || isFinal(now.status?.phase);
  }

  async #endFenced({key, link}: Guest): Promise<void> {
    const {log} = this.#options;
    const {at} = await link.refresh();
    // The kubelet ends it then: the pod's object is gone as well.
    if (at !== 'connected')
      return log.error({vmi: keyText(key), at}, 'fenced guest cannot be ended, its launcher is silent');
    await link.engine.kill();
    log.warn({vmi: keyText(key)}, 'guest ended: its node was fenced, and its run is over');
  }

  #forget(key: Key): void {
    const known = this.#guests.get(keyText(key));
    known?.facts.close();
    known?.link.close();
    this.#guests.delete(keyText(key));
  }
}
