import {readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {GROUP, PodLayout, VERSION, type VirtualMachine, type VirtualMachineInstance} from '@wherry/api';
import {
  Cache,
  Client,
  core,
  defineResource,
  fromKubeconfig,
  type KubeObject,
  type Log,
  type Pod,
  type Resource,
  systemClock,
} from '@wherry/kube';
import {Registry} from 'prom-client';
import {type E2eEnvironment, type TinyOptions, tinyVm} from '../support/guests.ts';
import {Kubectl} from '../support/kubectl.ts';
import {NodeShell} from '../support/node/node-shell.ts';
import {Watched} from './watched.ts';
import {type Writes, writesIn} from './api-metrics.ts';

type Machine = VirtualMachine & KubeObject;
type Instance = VirtualMachineInstance & KubeObject;

const kubevirt = <T extends KubeObject>(plural: string, kind: string): Resource<T> =>
  defineResource<T>({group: GROUP, version: VERSION, plural, kind, namespaced: true});
const machines = kubevirt<Machine>('virtualmachines', 'VirtualMachine');
const instances = kubevirt<Instance>('virtualmachineinstances', 'VirtualMachineInstance');

const ignore = (): void => undefined;
const log: Log = {debug: ignore, info: ignore, warn: ignore, error: ignore};

/** Where the system itself runs. */
export const systemNamespace = 'wherry';

/** A namespace on the cluster, and watches that tell the time. What is measured goes through one client, without kubectl. */
export class Stage {
  readonly env: E2eEnvironment;
  readonly namespace: string;
  readonly kubectl: Kubectl;
  readonly node: NodeShell;
  readonly client: Client;
  readonly machines: Watched<Machine>;
  readonly instances: Watched<Instance>;
  readonly pods: Watched<Pod>;
  readonly #caches: readonly {run(signal: AbortSignal): Promise<void>}[];
  readonly #stop = new AbortController();

  private constructor(env: E2eEnvironment, client: Client, namespace: string) {
    this.env = env;
    this.client = client;
    this.namespace = namespace;
    this.kubectl = new Kubectl(env.kubectl, env.kubeconfig, namespace);
    this.node = new NodeShell(env.nodes[0] ?? '');
    const options = {client, log, registry: new Registry(), clock: systemClock, selection: {namespace}};
    const caches = {
      machines: new Cache({...options, resource: machines}),
      instances: new Cache({...options, resource: instances}),
      pods: new Cache({...options, resource: core.pods}),
    };
    this.machines = new Watched(caches.machines, namespace);
    this.instances = new Watched(caches.instances, namespace);
    this.pods = new Watched(caches.pods, namespace);
    this.#caches = Object.values(caches);
  }

  static async open(environmentFile: string): Promise<Stage> {
    const env = JSON.parse(readFileSync(environmentFile, 'utf8')) as E2eEnvironment;
    const kubeConfig = await fromKubeconfig(env.kubeconfig);
    const client = new Client({kubeConfig, userAgent: 'wherry-bench', registry: new Registry()});
    const namespace = `bench-${Date.now().toString(36)}`;
    const stage = new Stage(env, client, namespace);
    await stage.kubectl.run('create', 'namespace', namespace);
    // Pods wait for the account that the controller manager makes in a new namespace.
    await stage.kubectl.run('wait', 'serviceaccount/default', '--for=create', '--timeout=60s');
    for (const cache of stage.#caches) void cache.run(stage.#stop.signal);
    return stage;
  }

  /** Removes all machines and pods. */
  async clear(): Promise<void> {
    await this.kubectl.run('delete', 'vm,pod', '--all', '--timeout=180s');
  }

  /** Removes the namespace with everything in it. */
  async close(): Promise<void> {
    await this.clear();
    this.#stop.abort();
    await this.kubectl.run('delete', 'namespace', this.namespace, '--wait=false');
    await this.client.close();
  }

  /** Applies a machine that boots the tiny guest and is killed without grace when it is deleted. */
  async applyMachine(name: string, options: TinyOptions = {}): Promise<void> {
    const vm = tinyVm(name, this.env.images.tiny, {memory: '256Mi', graceSeconds: 0, ...options}) as Machine;
    const metadata = {...vm.metadata, namespace: this.namespace};
    await this.client.apply(machines, {...vm, metadata}, {fieldManager: 'wherry-bench'});
  }

  /** Milliseconds of the monotonic clock at which the machine's guest was said to run. */
  running(name: string): Promise<number> {
    return this.instances.when(name, vmi => vmi?.status?.phase === 'Running');
  }

  /** Waits until the guest's console shows its login. */
  async booted(name: string, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    const {metadata} = await this.podOf(name);
    const key = {namespace: this.namespace, name: metadata.name ?? ''};
    while (!/login:/.test(await this.client.podLog(key))) {
      if (performance.now() > deadline) throw new Error(`the guest of ${name} did not boot within ${timeoutMs} ms`);
      await sleep(1000);
    }
  }

  async deleteMachine(name: string): Promise<void> {
    await this.client.delete(machines, {namespace: this.namespace, name});
  }

  /** Milliseconds of the monotonic clock at which nothing was left of the machine. */
  async gone(name: string, podName: string): Promise<number> {
    const left = await Promise.all([
      this.machines.when(name, vm => vm === undefined),
      this.instances.when(name, vmi => vmi === undefined),
      this.pods.when(podName, pod => pod === undefined),
    ]);
    return Math.max(...left);
  }

  async deleteMachines(names: readonly string[]): Promise<void> {
    const pods = await Promise.all(names.map(name => this.podOf(name)));
    await Promise.all(names.map(name => this.deleteMachine(name)));
    await Promise.all(names.map((name, index) => this.gone(name, pods[index]?.metadata.name ?? '')));
  }

  /** The pod of a machine that runs. */
  async podOf(name: string): Promise<Pod> {
    const [uid] = Object.keys(this.instances.get(name)?.status?.activePods ?? {});
    const pods = await this.client.list(core.pods, {
      namespace: this.namespace,
      labelSelector: `kubevirt.io/created-by=${this.instances.get(name)?.metadata.uid}`,
    });
    const pod = pods.find(one => one.metadata.uid === uid) ?? pods[0];
    if (pod === undefined) throw new Error(`${name} has no pod`);
    return pod;
  }

  /** A pod of the image that every guest has, with the same restrictions, that does nothing. */
  async createPod(name: string): Promise<void> {
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {name, namespace: this.namespace},
      spec: {
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: {runAsNonRoot: true, runAsUser: PodLayout.user, fsGroup: PodLayout.user},
        containers: [
          {
            name: 'bare',
            image: this.env.images.launcher,
            command: [PodLayout.launcher],
            env: [
              {name: PodLayout.env.uid, value: name},
              {name: PodLayout.env.name, value: name},
            ],
            volumeMounts: [{name: 'sockets', mountPath: PodLayout.sockets}],
          },
        ],
        volumes: [{name: 'sockets', emptyDir: {}}],
      },
    };
    await this.client.create(core.pods, pod);
  }

  /** Milliseconds of the monotonic clock at which the pod was said to be ready. */
  podReady(name: string): Promise<number> {
    return this.pods.when(name, isReady);
  }

  async deletePod(name: string): Promise<number> {
    await this.client.delete(core.pods, {namespace: this.namespace, name});
    return this.pods.when(name, pod => pod === undefined);
  }

  /** The pods of the system itself. */
  systemPods(): Promise<readonly Pod[]> {
    return this.client.list(core.pods, {namespace: systemNamespace});
  }

  async daemonPod(): Promise<Pod> {
    const pods = await this.systemPods();
    const daemon = pods.find(
      ({metadata}) =>
        metadata.name?.startsWith('wherry-node-daemon') === true && metadata.deletionTimestamp === undefined,
    );
    if (daemon === undefined) throw new Error('there is no node-daemon');
    return daemon;
  }

  /** Writes of events by Wherry about what is in this namespace: one for each, and one for each time that it was counted up. */
  async ownEvents(about = ''): Promise<number> {
    const events = await this.client.list(core.events, {namespace: this.namespace});
    return events
      .filter(({source}) => source?.component?.startsWith('wherry-') === true)
      .filter(({involvedObject}) => involvedObject.name?.includes(about) === true)
      .reduce((total, {count: times = 1}) => total + times, 0);
  }

  /** What the API server counts as written so far. */
  async writes(): Promise<Writes> {
    return writesIn(await this.kubectl.run('get', '--raw', '/metrics'));
  }
}

/** Of milliseconds. */
export const seconds = (ms: number): number => ms / 1000;

export const isReady = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(({type, status}) => type === 'Ready' && status === 'True') ?? false;
