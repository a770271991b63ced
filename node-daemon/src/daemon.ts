/** Puts the parts of the daemon together. Everything that they need comes in as an argument. */
import {
  type Config,
  DaemonLease,
  daemonLeaseOf,
  EventReason,
  FieldManager,
  type InstanceStatus,
  Phase,
  type VirtualMachineInstance,
  virtualMachineInstanceKind,
} from '@wherry/api';
import {
  Cache,
  type Client,
  type Clock,
  Controller,
  core,
  defineResource,
  type EventRecorder,
  Heartbeat,
  type Key,
  type Live,
  Manager,
  type Resource,
  watching,
} from '@wherry/kube';
import type {Host} from '@wherry/native';
import type {Registry} from 'prom-client';
import {engines} from './engine/engines.ts';
import {askAgent} from './guest/agent.ts';
import {type Guest, GuestReconciler, type Instances, type Tell} from './guest/reconciler.ts';
import {acceleratorOf} from './guest/selection.ts';
import {Semaphore} from './guest/semaphore.ts';
import {startGuest} from './guest/start.ts';
import {peerProblem} from './launcher/peer.ts';
import {podHasProcesses} from './launcher/pod-processes.ts';
import type {Log} from './log.ts';
import {registerGuestMetrics} from './metrics/guest-metrics.ts';
import {registerNodeMetrics} from './metrics/node-metrics.ts';
import {type GuestSample, sampleGuest} from './metrics/sample.ts';
import {readPodNetwork} from './network/pod-network.ts';
import {nodeOwner} from './node/node-owner.ts';
import {NodeReporter} from './node/node-reporter.ts';
import {testKvm} from './node/self-test.ts';
import type {Settings} from './settings.ts';

export interface DaemonParts {
  readonly settings: Settings;
  readonly config: Live<Config>;
  readonly host: Host;
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Log;
}

const {group, version, plural, kind} = virtualMachineInstanceKind;
const instances: Resource<VirtualMachineInstance> = defineResource({
  group,
  version,
  plural,
  kind,
  namespaced: true,
});

/** A guest's turn asks nft, QEMU and the API, each in milliseconds; this bounds one of them that hangs. */
const TURN_MS = 30_000;
/** More than a node has guests: a launcher that does not answer holds up its own guest's turn, and no other's. */
const CONCURRENCY = 512;
/** Guests that are started at once: that is work for the node, and not only waiting. */
const STARTS = 8;

export class Daemon {
  readonly manager: Manager;
  readonly reporter: NodeReporter;
  readonly guests: GuestReconciler;
  readonly #parts: DaemonParts;
  readonly #cache: Cache<VirtualMachineInstance>;
  readonly #heartbeat: Heartbeat;

  constructor(parts: DaemonParts) {
    this.#parts = parts;
    const {settings, log, registry, client} = parts;
    this.manager = new Manager({
      log,
      registry,
      healthPort: settings.healthPort,
      metricsPort: settings.metricsPort,
    });
    this.#cache = this.manager.addCache(
      new Cache({
        client,
        resource: instances,
        // The API server sends only what is this node's: the cost of a daemon does not grow with the cluster.
        selection: {fieldSelector: `status.nodeName=${settings.node}`},
        log,
        registry,
      }),
    );
    const controller: Controller = new Controller({
      name: 'guest',
      reconcile: (key, signal) => this.guests.reconcile(key, signal),
      sources: [watching(this.#cache)],
      concurrency: CONCURRENCY,
      timeoutMs: TURN_MS,
      log,
      registry,
    });
    this.#heartbeat = this.#lease();
    this.guests = this.#reconciler((key, afterMs) => controller.enqueue(key, afterMs));
    this.reporter = this.#reporter();
    // Once the guests are known: what it says is that somebody looks after them.
    this.manager.addController(this.#heartbeat);
    this.manager.addController(controller);
    this.manager.addRunnable(this.reporter);
    this.manager.addReadyCheck('node', () => (this.reporter.published ? undefined : 'not tested and labelled yet'));
    this.#registerMetrics();
  }

  /** Until the signal aborts. Guests run on. @throws what ended a part of it */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.manager.run(signal);
    } finally {
      this.guests.close();
    }
  }

  #reconciler(wake: (key: Key, afterMs?: number) => void): GuestReconciler {
    const {settings, config, host, clock, log} = this.#parts;
    const places = new Semaphore(STARTS);
    return new GuestReconciler({
      node: settings.node,
      instances: this.#instances(),
      start: async (vmi, link, signal) => {
        await startGuest(
          {
            host,
            engines,
            netnsProgram: settings.netns,
            now: () => clock.now(),
            logConsole: !config.current.disableSerialConsoleLog,
            places,
          },
          vmi,
          acceleratorOf(vmi),
          link,
          signal,
        );
      },
      sources: {
        podNetwork: launcher => readPodNetwork(host, launcher),
        agent: (folder, signal) => askAgent(host, folder, signal),
      },
      engines,
      link: {host, pods: settings.pods, peerProblem, podHasProcesses},
      wake,
      tell: this.#tell(),
      clock,
      log,
    });
  }

  #instances(): Instances {
    const {client} = this.#parts;
    const cache = this.#cache;
    return {
      get: key => cache.get(key),
      ask: (key, signal) => client.get(instances, key, signal),
      patchStatus: async (vmi: VirtualMachineInstance, status: InstanceStatus, signal) => {
        const options = {fieldManager: FieldManager.nodeDaemon, signal};
        // The operator has given the node up: it must hear that the daemon lives before it hears that the guest does.
        if (vmi.status?.phase === Phase.Unknown) await this.#heartbeat.renew(signal);
        await client.patchStatus(instances, vmi, status, options);
      },
    };
  }

  #lease(): Heartbeat {
    const {settings, client, clock, log} = this.#parts;
    const durationMs = settings.leaseSeconds * 1000;
    const {key, value} = DaemonLease.label;
    return new Heartbeat({
      client,
      lease: {namespace: settings.namespace, name: daemonLeaseOf(settings.node)},
      labels: {'app.kubernetes.io/name': 'wherry', [key]: value},
      identity: settings.pod,
      owner: async signal => nodeOwner(settings.node, await client.get(core.nodes, {name: settings.node}, signal)),
      durationMs,
      everyMs: durationMs / DaemonLease.renewals,
      log,
      clock,
    });
  }

  #tell(): Tell {
    const {recorder} = this.#parts;
    const warnings: readonly string[] = [EventReason.SyncFailed, EventReason.IoError, EventReason.EngineUnresponsive];
    return (vmi, reason, message) =>
      recorder.event(vmi, {type: warnings.includes(reason) ? 'Warning' : 'Normal', reason, message});
  }

  #reporter(): NodeReporter {
    const {settings, client, clock, log} = this.#parts;
    return new NodeReporter({
      name: settings.node,
      test: signal => testKvm(settings.selfTest, signal),
      nodes: {
        get: (name, signal) => client.get(core.nodes, {name}, signal),
        patch: async (name, patch, signal) => {
          await client.mergePatch(core.nodes, {name}, patch, {fieldManager: FieldManager.nodeDaemon, signal});
        },
      },
      clock,
      log,
    });
  }

  #registerMetrics(): void {
    const {settings, registry} = this.#parts;
    registerNodeMetrics({
      node: settings.node,
      registry,
      kvm: () => this.reporter.report,
      guests: () => this.guests.guests.length,
    });
    registerGuestMetrics({node: settings.node, registry, sample: () => this.#sample()});
  }

  async #sample(): Promise<readonly GuestSample[]> {
    const {host} = this.#parts;
    const known = this.guests.guests.flatMap((guest: Guest) => {
      const vmi = this.#cache.get(guest.key);
      return vmi === undefined ? [] : [sampleGuest(host, guest, vmi)];
    });
    return Promise.all(known);
  }
}
