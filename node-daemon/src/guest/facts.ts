/** What must be asked of node, engine and agent to report on a running guest, each asked once as long as it holds. */
import {Annotation, type VirtualMachineInstance} from '@wherry/api';
import type {Dir} from '@wherry/native';
import {QemuEngine} from '../engine/qemu/qemu-engine.ts';
import {messageOf} from '../errors.ts';
import type {Log} from '../log.ts';
import {effectiveMachine} from '../machine/effective-machine.ts';
import type {PodLink} from './pod-link.ts';
import {acceleratorOf} from './selection.ts';
import type {PodNetwork} from '../network/pod-network.ts';
import type {AgentFacts, RunningFacts} from './status.ts';

/** How long what the agent said counts as true. */
const AGENT_TTL_MS = 300_000;
/** How soon an agent that has opened its channel but did not answer is asked again. */
const AGENT_RETRY_MS = 10_000;

interface Steady {
  readonly network: PodNetwork;
  readonly version: string;
}

/** What is asked beside the engine. */
export interface Sources {
  readonly podNetwork: (launcher: {readonly pid: number; readonly pidfd: number}) => Promise<PodNetwork>;
  /** Asks the agent behind the socket in this folder. */
  readonly agent: (folder: Dir) => Promise<AgentFacts>;
}

export interface FactsOptions {
  readonly sources: Sources;
  readonly link: PodLink;
  /** Local, never set back, in milliseconds. */
  readonly monotonic: () => number;
  readonly log: Log;
}

export class GuestFacts {
  readonly #options: FactsOptions;
  #steady: Steady | undefined;
  #agent: {readonly facts: AgentFacts | undefined; readonly until: number} | undefined;

  constructor(options: FactsOptions) {
    this.#options = options;
  }

  /** @throws DaemonError, NativeError: the guest has just ended, or its launcher does not answer */
  async gather(vmi: VirtualMachineInstance): Promise<RunningFacts> {
    const {view, connection} = this.#options.link;
    this.#steady ??= await this.#look();
    const {network, version} = this.#steady;
    const machine = effectiveMachine(vmi, {accelerator: acceleratorOf(vmi), mtu: network.mtu, vhost: false});
    const engine = new QemuEngine(connection);
    return {
      machine,
      machineType: engine.kind.machineType,
      engine: {name: 'qemu', version, reason: reasonFor(vmi)},
      podAddresses: network.addresses,
      paused: view.at === 'connected' && view.paused,
      agent: view.at === 'connected' && view.agent ? await this.#askAgent() : this.#forgetAgent(),
    };
  }

  /** Milliseconds until the agent should be asked again; undefined while there is none. */
  get dueMs(): number | undefined {
    return this.#agent === undefined ? undefined : Math.max(0, this.#agent.until - this.#options.monotonic());
  }

  async #look(): Promise<Steady> {
    const {sources, link} = this.#options;
    const engine = new QemuEngine(link.connection);
    const [network, {version}] = await Promise.all([
      sources.podNetwork(link.process),
      engine.describe(),
      engine.watchMemory(),
    ]);
    return {network, version};
  }

  /** A guest may open the channel and never answer: it is asked again, but nothing waits for it to be reported. */
  async #askAgent(): Promise<AgentFacts | undefined> {
    const {sources, link, monotonic, log} = this.#options;
    if (this.#agent !== undefined && monotonic() < this.#agent.until) return this.#agent.facts;
    let facts: AgentFacts | undefined;
    try {
      using folder = link.folder();
      facts = folder === undefined ? undefined : await sources.agent(folder);
    } catch (error) {
      log.debug({pod: link.podUid, reason: messageOf(error)}, 'guest agent did not answer');
    }
    this.#agent = {facts, until: monotonic() + (facts === undefined ? AGENT_RETRY_MS : AGENT_TTL_MS)};
    return facts;
  }

  #forgetAgent(): undefined {
    this.#agent = undefined;
  }
}

const reasonFor = (vmi: VirtualMachineInstance): string =>
  vmi.metadata.annotations?.[Annotation.engine] === 'qemu'
    ? `asked for by the annotation ${Annotation.engine}`
    : 'it is the only engine of this version';
