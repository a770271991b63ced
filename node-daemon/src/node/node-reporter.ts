/** Tests the node's KVM and says on its Node what it can run. */
import {type Clock, pause} from '@wherry/kube';
import type {Node} from '@wherry/kube';
import {messageOf} from '../errors.ts';
import type {Log} from '../log.ts';
import {broken, type KvmReport} from './kvm-report.ts';
import {missingNode} from './node-owner.ts';
import {type NodePatch, nodePatch} from './node-patch.ts';

export interface NodeReporterOptions {
  readonly name: string;
  /** Rejects where the test could not be run: it may be another time. */
  readonly test: (signal: AbortSignal) => Promise<KvmReport>;
  readonly nodes: {
    get(name: string, signal: AbortSignal): Promise<Node | undefined>;
    patch(name: string, patch: NodePatch, signal: AbortSignal): Promise<void>;
  };
  readonly clock: Clock;
  readonly log: Log;
}

/** A microcode or kernel live patch can change the verdict without a reboot. */
const EVERY_MS = 6 * 60 * 60 * 1000;
/** After a test that could not be run; doubles up to the time between two tests. */
const UNTESTED_MS = 60_000;
/** The label may be lost to an administrator or a kubelet that registers anew. */
const CHECK_MS = 5 * 60 * 1000;
const RETRY_MS = 2000;

export class NodeReporter {
  readonly #options: NodeReporterOptions;
  #report: KvmReport | undefined;
  #published = false;
  /** When the next test is due, on the monotonic clock. */
  #testAt = Number.NEGATIVE_INFINITY;
  #untestedMs = UNTESTED_MS;
  #again = new AbortController();

  constructor(options: NodeReporterOptions) {
    this.#options = options;
  }

  /** Undefined until the first test has ended. */
  get report(): KvmReport | undefined {
    return this.#report;
  }

  /** The Node says what the last test found. */
  get published(): boolean {
    return this.#published;
  }

  /** Tests again now. */
  retest(): void {
    this.#testAt = Number.NEGATIVE_INFINITY;
    this.#again.abort();
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#again = new AbortController();
      const wait = await this.#turn(signal);
      await pause(this.#options.clock, wait, AbortSignal.any([signal, this.#again.signal]));
    }
  }

  /** Returns when to come back, in milliseconds. */
  async #turn(signal: AbortSignal): Promise<number> {
    const {clock, log, name} = this.#options;
    try {
      if (clock.monotonic() >= this.#testAt) await this.#test(signal);
      if (this.#report !== undefined) await this.#publish(this.#report, signal);
      return Math.min(CHECK_MS, Math.max(0, this.#testAt - clock.monotonic()));
    } catch (error) {
      if (!signal.aborted) log.warn({node: name, reason: messageOf(error)}, 'node could not be labelled');
      return RETRY_MS;
    }
  }

  async #test(signal: AbortSignal): Promise<void> {
    const {clock, log, name, test} = this.#options;
    let report: KvmReport;
    let nextMs = EVERY_MS;
    try {
      report = await test(signal);
      this.#untestedMs = UNTESTED_MS;
    } catch (error) {
      report = untested(error);
      nextMs = this.#untestedMs;
      this.#untestedMs = Math.min(2 * nextMs, EVERY_MS);
    }
    if (signal.aborted) return;
    this.#report = report;
    this.#testAt = clock.monotonic() + nextMs;
    const {verdict, reason} = report;
    log.info({node: name, verdict, reason, nextMs}, 'KVM tested');
  }

  async #publish(report: KvmReport, signal: AbortSignal): Promise<void> {
    const {name, nodes} = this.#options;
    const node = await nodes.get(name, signal);
    if (node === undefined) throw missingNode(name);
    const patch = nodePatch(node, report);
    if (patch !== undefined) await nodes.patch(name, patch, signal);
    this.#published = true;
  }
}

/** A test that could not be run is no evidence for KVM, and the node must not be taken for one that has it. */
const untested = (error: unknown): KvmReport => broken(`the KVM self-test could not be run: ${messageOf(error)}`);
