/** Asks one guest's agent beside the guest's turns: an agent may be mute, and no guest waits for another's. */
import type {AgentFacts} from './status.ts';

/** How long what the agent said counts as true. */
const AGENT_TTL_MS = 300_000;
/**
 * How soon an agent that did not answer is asked again at first, and how soon after one change the next is believed: a
 * guest that opens and closes its channel all the time must not cause a write to the API each time.
 */
const AGENT_SETTLE_MS = 10_000;

/** What the agent last said, or that it was not there. */
interface Heard {
  readonly open: boolean;
  readonly facts: AgentFacts | 'asked' | undefined;
  readonly until: number;
  /** No change counts before. */
  readonly settled: number;
  /** When it is asked again if it does not answer. */
  readonly retryMs: number;
}

export interface AgentWatchOptions {
  /** One question to the agent; undefined where it did not answer. Ends soon once the signal aborts. Never rejects. */
  readonly ask: (signal: AbortSignal) => Promise<AgentFacts | undefined>;
  /** A question has ended: what is known may have changed. Must not throw. */
  readonly onAnswer: () => void;
  /** Local, never set back, in milliseconds. */
  readonly monotonic: () => number;
}

export class AgentWatch {
  readonly #options: AgentWatchOptions;
  readonly #stop = new AbortController();
  #heard: Heard | undefined;
  #asking = false;

  constructor(options: AgentWatchOptions) {
    this.#options = options;
  }

  /** What is known of the agent whose channel is open or not. It waits for nothing, but may begin to ask. */
  facts(open: boolean): AgentFacts | 'asked' | undefined {
    const now = this.#options.monotonic();
    const known = this.#heard;
    if (known === undefined && !open) return undefined;
    if (known !== undefined) {
      const changed = known.open !== open;
      if (changed && now < known.settled) {
        this.#heard = {...known, until: known.settled};
        return known.facts;
      }
      if (!changed && now < known.until) return known.facts;
    }
    const {facts, retryMs} = known?.open === true ? known : {facts: 'asked' as const, retryMs: AGENT_SETTLE_MS};
    const next = {open, settled: now + AGENT_SETTLE_MS, until: Number.POSITIVE_INFINITY, retryMs};
    this.#heard = {...next, facts: open ? facts : undefined};
    if (open) this.#ask();
    return this.#heard.facts;
  }

  /** Milliseconds until the agent should be looked at again; undefined where only an event can bring news. */
  get dueMs(): number | undefined {
    if (this.#heard === undefined || this.#heard.until === Number.POSITIVE_INFINITY) return undefined;
    return Math.max(0, this.#heard.until - this.#options.monotonic());
  }

  /** Ends the question that is under way; there will be no answer. */
  close(): void {
    this.#stop.abort();
  }

  /** At most one question is under way; whoever comes meanwhile gets its answer. */
  #ask(): void {
    if (this.#asking || this.#stop.signal.aborted) return;
    this.#asking = true;
    void this.#options.ask(this.#stop.signal).then(facts => this.#answered(facts));
  }

  #answered(facts: AgentFacts | undefined): void {
    this.#asking = false;
    const heard = this.#heard;
    if (this.#stop.signal.aborted || heard === undefined) return;
    if (heard.open) {
      const now = this.#options.monotonic();
      this.#heard =
        facts === undefined
          ? {...heard, facts, until: now + heard.retryMs, retryMs: Math.min(2 * heard.retryMs, AGENT_TTL_MS)}
          : {...heard, facts, until: now + AGENT_TTL_MS, retryMs: AGENT_SETTLE_MS};
    }
    this.#options.onAnswer();
  }
}
