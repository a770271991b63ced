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
import type {AgentFacts, RunningFacts} from './status.ts';

/** How long what the agent said counts as true. */
const AGENT_TTL_MS = 300_000;
/**
 * How soon an agent that did not answer is asked again, and how soon after one change the next is believed: a guest that
 * opens and closes its channel all the time must not cause a write to the API each time.
 */
const AGENT_SETTLE_MS = 10_000;

/** What the agent last said, or that it was not there. */
interface Heard {
  readonly open: boolean;
  readonly facts: AgentFacts | undefined;
  readonly until: number;
  /** No change counts before. */
  readonly settled: number;
}

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
  readonly engine: EngineKind;
  /** Local, never set back, in milliseconds. */
  readonly monotonic: () => number;
  readonly log: Log;
}

export class GuestFacts {
  readonly #options: FactsOptions;
  #steady: Steady | undefined;
  #agent: Heard | undefined;

  constructor(options: FactsOptions) {
    this.#options = options;
  }

  /** @throws DaemonError, NativeError: the guest has just ended, or its launcher does not answer */
  async gather(vmi: VirtualMachineInstance): Promise<RunningFacts> {
    const {link, engine} = this.#options;
    const {view} = link;
    this.#steady ??= await this.#look();
    const {network, version} = this.#steady;
    const machine = effectiveMachine(vmi, {accelerator: acceleratorOf(vmi), mtu: network.mtu, vhost: false});
    return {
      machine,
      machineType: engine.machineType,
      engine: {name: engine.name, version, reason: reasonFor(vmi)},
      podAddresses: network.addresses,
      paused: view.at === 'connected' && view.paused,
      agent: await this.#agentFacts(view.at === 'connected' && view.agent),
    };
  }

  /** Milliseconds until the agent should be looked at again; undefined where only an event can bring news. */
  get dueMs(): number | undefined {
    if (this.#agent === undefined || this.#agent.until === Number.POSITIVE_INFINITY) return undefined;
    return Math.max(0, this.#agent.until - this.#options.monotonic());
  }

  async #look(): Promise<Steady> {
    const {sources, link} = this.#options;
    const {engine} = link;
    const [network, {version}] = await Promise.all([
      sources.podNetwork(link.process),
      engine.describe(),
      engine.watchMemory(),
    ]);
    return {network, version};
  }

  async #agentFacts(open: boolean): Promise<AgentFacts | undefined> {
    const now = this.#options.monotonic();
    const known = this.#agent;
    if (known === undefined && !open) return undefined;
    if (known !== undefined) {
      const changed = known.open !== open;
      if (changed && now < known.settled) {
        this.#agent = {...known, until: known.settled};
        return known.facts;
      }
      if (!changed && now < known.until) return known.facts;
    }
    const facts = open ? await this.#ask() : undefined;
    this.#agent = {open, facts, settled: now + AGENT_SETTLE_MS, until: now + lifeOf(open, facts)};
    return facts;
  }

  /** A guest may open the channel and never answer: nothing waits for it to be reported as running. */
  async #ask(): Promise<AgentFacts | undefined> {
    const {sources, link, log} = this.#options;
    try {
      using folder = link.folder();
      return folder === undefined ? undefined : await sources.agent(folder);
    } catch (error) {
      log.debug({pod: link.podUid, reason: messageOf(error)}, 'guest agent did not answer');
      return undefined;
    }
  }
}

const lifeOf = (open: boolean, facts: AgentFacts | undefined): number => {
  if (!open) return Number.POSITIVE_INFINITY;
  return facts === undefined ? AGENT_SETTLE_MS : AGENT_TTL_MS;
};

const reasonFor = (vmi: VirtualMachineInstance): string =>
  vmi.metadata.annotations?.[Annotation.engine] === 'qemu'
    ? `asked for by the annotation ${Annotation.engine}`
    : 'it is the only engine of this version';
