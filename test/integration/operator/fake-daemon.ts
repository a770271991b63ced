import {DaemonLease, daemonLeaseOf, type InstanceStatus} from '@wherry/api';
import {type Client, core, Heartbeat, systemClock} from '@wherry/kube';
import {type Instance, instances} from '@wherry/operator';
import type {Stage} from './stage.ts';

/** The shortest that the operator takes a daemon's word for. */
export const LEASE_MS = 5000;

const ignore = (): void => undefined;
const silent = {debug: ignore, info: ignore, warn: ignore, error: ignore};

export interface FakeDaemonOptions {
  /** How far its wall clock is off, in ms. Defaults to 0. */
  readonly skewMs?: number;
}

/** A node-daemon, as far as the operator sees it: a Lease that is renewed, and a word about its guests. */
export class FakeDaemon {
  readonly #heartbeat: Heartbeat;
  #stop = new AbortController();
  #ended: Promise<void>;

  constructor(client: Client, namespace: string, node: string, {skewMs = 0}: FakeDaemonOptions = {}) {
    this.#heartbeat = new Heartbeat({
      client,
      lease: {namespace, name: daemonLeaseOf(node)},
      labels: {[DaemonLease.label.key]: DaemonLease.label.value},
      identity: `daemon-of-${node}`,
      owner: async signal => {
        const uid = (await client.get(core.nodes, {name: node}, signal))?.metadata.uid ?? '';
        return {apiVersion: 'v1', kind: 'Node', name: node, uid};
      },
      durationMs: LEASE_MS,
      everyMs: 500,
      log: silent,
      clock: {...systemClock, now: () => systemClock.now() + skewMs},
    });
    this.#ended = this.#heartbeat.run(this.#stop.signal);
  }

  /** It ends, or its node does: the Lease is left as it is. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  /** It is there again. Its Lease comes before its word about guests, as the real one's does. */
  async start(): Promise<void> {
    this.#stop = new AbortController();
    await this.#heartbeat.renew(this.#stop.signal);
    this.#ended = this.#heartbeat.run(this.#stop.signal);
  }

  /** It has found the launcher of the guest alive. */
  async reportRunning(on: Stage, name: string): Promise<void> {
    await on.until('the daemon reports the guest', async () => {
      const vmi = (await on.vmi(name)) as Instance;
      const status: InstanceStatus = {phase: 'Running'};
      return on.client.patchStatus(instances, vmi, status).catch((error: {status?: number}) => {
        if (error.status === 409) return undefined;
        throw error;
      });
    });
  }
}
