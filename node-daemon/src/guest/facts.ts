/** What must be asked of node, engine and agent to report on a running guest, each asked once as long as it holds. */
import {Annotation, type VirtualMachineInstance} from '@wherry/api';
import type {Dir} from '@wherry/native';
import type {EngineKind} from '../engine/engine.ts';
import {messageOf} from '../errors.ts';
import type {Log} from '../log.ts';
import {effectiveMachine} from '../machine/effective-machine.ts';
import type {PodLink} from './pod-link.ts';
import {acceleratorOf} from './selection.ts';
import type {PodNetwork} from '../network/pod-network.ts';
import {AgentWatch} from './agent-watch.ts';
import {type Pause, pauseDueMs, settledPause} from './launcher-view.ts';
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
  /** Local, never set back, in milliseconds. */
  readonly monotonic: () => number;
  /** The agent has answered, or does not. Must not throw. */
  readonly onAnswer: () => void;
  readonly log: Log;
}

export class GuestFacts {
  readonly #options: FactsOptions;
  #steady: Steady | undefined;
  #pause: Pause | undefined;
  readonly #agent: AgentWatch;

  constructor(options: FactsOptions) {
    this.#options = options;
    const {onAnswer, monotonic} = options;
    this.#agent = new AgentWatch({ask: signal => this.#ask(signal), onAnswer, monotonic});
  }

  /** @throws DaemonError, NativeError: the guest has just ended, or its launcher does not answer */
  async gather(vmi: VirtualMachineInstance): Promise<RunningFacts> {
    const {link, engine} = this.#options;
    const {view} = link;
    this.#steady ??= await this.#look(vmi.spec.domain.devices.autoattachMemBalloon !== false);
    const {network, version} = this.#steady;
    this.#pause = settledPause(
      this.#pause,
      view.at === 'connected' ? view.paused : undefined,
      this.#options.monotonic(),
    );
    const machine = effectiveMachine(vmi, {accelerator: acceleratorOf(vmi), mtu: network.mtu, vhost: false});
    return {
      machine,
      machineType: engine.machineTypeOf(machine),
      engine: {name: engine.name, version, reason: reasonFor(vmi)},
      podAddresses: network.addresses,
      paused: this.#pause.paused,
      probed: vmi.spec.readinessProbe !== undefined,
      failedDisks: this.#pause.paused === 'ioError' ? await link.engine.failedDisks() : [],
      agent: this.#agent.facts(view.at === 'connected' && view.agent),
    };
  }

  /** Milliseconds until it should be gathered anew; undefined where only an event can bring news. */
  get dueMs(): number | undefined {
    const {view} = this.#options.link;
    const pause =
      this.#pause === undefined || view.at !== 'connected'
        ? undefined
        : pauseDueMs(this.#pause, view.paused, this.#options.monotonic());
    const due = [pause, this.#agent.dueMs].filter(ms => ms !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Ends what is under way. */
  close(): void {
    this.#agent.close();
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

const reasonFor = (vmi: VirtualMachineInstance): string =>
  vmi.metadata.annotations?.[Annotation.engine] === 'qemu'
    ? `asked for by the annotation ${Annotation.engine}`
    : 'it is the only engine of this version';
