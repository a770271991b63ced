/** What must be asked of node, engine and agent to report on a running guest, each asked once as long as it holds. */
import type {VirtualMachineInstance} from '@wherry/api';
import type {Clock} from '@wherry/kube';
import type {Dir} from '@wherry/native';
import type {EngineKind, FailedDisk} from '../engine/engine.ts';
import {messageOf} from '../errors.ts';
import type {Log} from '../log.ts';
import {effectiveMachine, type EffectiveMachine} from '../machine/effective-machine.ts';
import type {PodLink} from './pod-link.ts';
import {acceleratorOf} from './selection.ts';
import type {PodNetwork} from '../network/pod-network.ts';
import {AgentWatch} from './agent-watch.ts';
import {IoRetry} from './io-retry.ts';
import {type Pause, type PauseCause, pauseDueMs, settledPause} from './launcher-view.ts';
import {Pulse} from './pulse.ts';
import type {AgentFacts, RunningFacts} from './status.ts';

interface Steady {
  readonly network: PodNetwork;
  readonly version: string;
}

/** What is asked beside the engine. */
export interface Sources {
  readonly podNetwork: (launcher: {readonly pid: number; readonly pidfd: number}) => Promise<PodNetwork>;
  /** Asks the agent behind the socket in this folder. */
  readonly agent: (folder: Dir, signal: AbortSignal) => Promise<AgentFacts>;
}

export interface FactsOptions {
  readonly sources: Sources;
  readonly link: PodLink;
  readonly engine: EngineKind;
  readonly clock: Clock;
  /** What is known beside the events of the launcher has changed. Must not throw. */
  readonly onNews: () => void;
  readonly log: Log;
}

export class GuestFacts {
  readonly #options: FactsOptions;
  #steady: Steady | undefined;
  #pause: Pause | undefined;
  #failedDisks: readonly FailedDisk[] = [];
  readonly #ioRetry = new IoRetry();
  readonly #agent: AgentWatch;
  readonly #pulse: Pulse;

  constructor(options: FactsOptions) {
    this.#options = options;
    const {onNews, clock, link} = options;
    const monotonic = () => clock.monotonic();
    this.#agent = new AgentWatch({ask: signal => this.#ask(signal), onAnswer: onNews, monotonic});
    this.#pulse = new Pulse({ask: async () => link.engine.describe(), onChange: onNews, clock});
  }

  /** A guest that stands still for a failed disk should be let run on, to see whether it can. */
  ioRetryDue(): boolean {
    const now = this.#options.clock.monotonic();
    this.#ioRetry.see(this.#pausedNow(), now);
    return this.#ioRetry.dueMs(now) === 0;
  }

  /** The guest has been told to run on. */
  resumed(): void {
    this.#ioRetry.tried(this.#options.clock.monotonic());
  }

  /** @throws DaemonError, NativeError: the guest has just ended, or its launcher does not answer */
  async gather(vmi: VirtualMachineInstance): Promise<RunningFacts> {
    const {link, engine} = this.#options;
    const {view} = link;
    this.#pulse.start();
    const balloon = engine.capabilities.balloon && vmi.spec.domain.devices.autoattachMemBalloon !== false;
    this.#steady ??= await this.#look(balloon);
    const {network, version} = this.#steady;
    this.#pause = settledPause(this.#pause, this.#saidPause(), this.#options.clock.monotonic());
    await this.#lookAtDisks();
    const machine = effectiveMachine(vmi, {accelerator: acceleratorOf(vmi), mtu: network.mtu, vhost: false});
    return {
      machine,
      machineType: engine.machineTypeOf(machine),
      engine: {name: engine.name, version, reason: reasonFor(vmi)},
      podAddresses: network.addresses,
      paused: this.#pause.paused,
      probed: vmi.spec.readinessProbe !== undefined,
      failedDisks: known(this.#failedDisks, machine),
      hangs: !this.#pulse.answers,
      agent: this.#agent.facts(view.at === 'connected' && view.agent),
    };
  }

  /** Milliseconds until it should be gathered anew; undefined where only an event can bring news. */
  get dueMs(): number | undefined {
    const now = this.#options.clock.monotonic();
    const pause =
      this.#pause === undefined || this.#options.link.view.at !== 'connected'
        ? undefined
        : pauseDueMs(this.#pause, this.#saidPause(), now);
    const io = [this.#ioRetry.dueMs(now), this.#ioRetry.trialMs(now)];
    const due = [pause, ...io, this.#agent.dueMs].filter(ms => ms !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Ends what is under way. */
  close(): void {
    this.#agent.close();
    this.#pulse.close();
  }

  #pausedNow(): PauseCause | undefined {
    const {view} = this.#options.link;
    return view.at === 'connected' ? view.paused : undefined;
  }

  /** A guest on trial counts as stopped: it may be so again in a moment, and nothing is written for each try. */
  #saidPause(): PauseCause | undefined {
    const onTrial = this.#ioRetry.trialMs(this.#options.clock.monotonic()) !== undefined;
    return this.#pausedNow() ?? (onTrial ? 'ioError' : undefined);
  }

  /** An engine forgets which disks had failed when its guest runs on, so that is not asked of a guest on trial. */
  async #lookAtDisks(): Promise<void> {
    if (this.#pause?.paused !== 'ioError') this.#failedDisks = [];
    else if (this.#pausedNow() === 'ioError') this.#failedDisks = await this.#options.link.engine.failedDisks();
  }

  async #look(balloon: boolean): Promise<Steady> {
    const {sources, link} = this.#options;
    const {engine} = link;
    const [network, {version}] = await Promise.all([
      sources.podNetwork(link.process),
      engine.describe(),
      ...(balloon ? [engine.watchMemory()] : []),
    ]);
    return {network, version};
  }

  /** A guest may open the channel and never answer: nothing waits for it to be reported as running. */
  async #ask(signal: AbortSignal): Promise<AgentFacts | undefined> {
    const {sources, link, log} = this.#options;
    try {
      using folder = link.folder();
      return folder === undefined ? undefined : await sources.agent(folder, signal);
    } catch (error) {
      log.debug({pod: link.podUid, reason: messageOf(error)}, 'guest agent did not answer');
      return undefined;
    }
  }
}

/** Of the disks that the machine has: an engine may make up others. */
const known = (failed: readonly FailedDisk[], {disks}: EffectiveMachine): readonly FailedDisk[] =>
  disks.flatMap(({name}) => failed.find(({disk}) => disk === name) ?? []);

/** The operator's, who chose. */
const reasonFor = ({status}: VirtualMachineInstance): string =>
  status?.engine?.reason ?? 'it is the only engine of the operator that handed the guest over';
