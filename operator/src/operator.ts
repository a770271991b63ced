import type {Config} from '@wherry/api';
import {
  type Client,
  type Clock,
  Controller,
  EventRecorder,
  LeaseElection,
  type Live,
  type Log,
  Manager,
} from '@wherry/kube';
import type {Registry} from 'prom-client';
import {type Caches, makeCaches} from './caches.ts';
import {ConfigReporter} from './config-reporter.ts';
import {registerMetrics} from './metrics.ts';
import {DaemonWatch} from './node/daemon-watch.ts';
import {registerDaemonMetrics} from './node/metrics.ts';
import {NodeReconciler} from './node/reconciler.ts';
import {instanceSources, machineSources, nodeSources} from './sources.ts';
import {MachineReconciler} from './virtualmachine/reconciler.ts';
import {Complaints} from './virtualmachineinstance/complaints.ts';
import {LastWords} from './virtualmachineinstance/last-words.ts';
import {InstanceReconciler} from './virtualmachineinstance/reconciler.ts';

export interface OperatorOptions {
  readonly client: Client;
  readonly config: Live<Config>;
  readonly log: Log;
  readonly registry: Registry;
  readonly clock: Clock;
  /** Numbers in [0, 1), for jitter. */
  readonly random: () => number;
  /** Unique to this process, for the election. */
  readonly identity: string;
  /** Where the Lease `wherry-operator` lies. */
  readonly namespace: string;
  /** 0 takes a free port. */
  readonly healthPort: number;
  readonly metricsPort: number;
}

/** Name of the Lease and of the source of events. */
const component = 'wherry-operator';

/** What the API server refuses is tried again at least that often: what stood in the way may be gone. */
const maxBackOffMs = 60_000;

/** Reconciles at once: they wait for the API server most of the time. */
const concurrency = 8;

/** The operator, put together and not yet running: `run` of what is returned runs it. */
export const makeOperator = (options: OperatorOptions): Manager => {
  const {client, log, registry, clock, random} = options;
  const {namespace} = options;
  const caches = makeCaches({client, log, registry, clock, namespace});
  const daemons = new DaemonWatch({leases: caches.leases, client, namespace, clock, log});
  const events = new EventRecorder({client, component, host: options.identity, log, clock, random});
  const election = new LeaseElection({
    client,
    lease: {namespace, name: component},
    identity: options.identity,
    log,
    registry,
    clock,
    random,
  });
  const {healthPort, metricsPort} = options;
  const manager = new Manager({log, registry, healthPort, metricsPort, election});
  const configReporter = new ConfigReporter({
    client,
    events,
    config: options.config,
    namespace,
    log,
  });
  manager.addFlush(() => configReporter.flush().then(() => events.flush()));
  for (const cache of Object.values(caches)) manager.addCache(cache);
  registerMetrics(registry, caches.machines, caches.instances);
  registerDaemonMetrics(registry, daemons);
  const shared = {client: client.guardedBy(() => election.assertLeading()), caches, clock, events};
  const machines = new MachineReconciler({...shared, random});
  const instances = new InstanceReconciler({
    ...shared,
    config: options.config,
    lastWords: rememberEndings(caches),
    complaints: new Complaints(client, clock),
    daemons,
  });
  const nodes = new NodeReconciler({client: shared.client, nodes: caches.nodes, daemons});
  const loop = {log, registry, clock, random, concurrency, maxBackOffMs};
  // First: it must know of each daemon before anything is decided by it.
  manager.addController(daemons);
  manager.addController(
    new Controller({
      ...loop,
      name: 'virtualmachine',
      sources: machineSources(caches),
      reconcile: (key, signal) => machines.reconcile(key, signal),
    }),
  );
  manager.addController(
    new Controller({
      ...loop,
      name: 'virtualmachineinstance',
      sources: instanceSources(caches, options.config, daemons),
      reconcile: (key, signal) => instances.reconcile(key, signal),
    }),
  );
  manager.addController(
    new Controller({
      ...loop,
      name: 'node',
      sources: nodeSources(caches, daemons),
      reconcile: (key, signal) => nodes.reconcile(key, signal),
    }),
  );
  return manager;
};

const rememberEndings = ({pods}: Caches): LastWords => {
  const lastWords = new LastWords();
  pods.onChange(change => {
    if (change.type === 'deleted') lastWords.removed(change.object);
  });
  return lastWords;
};
