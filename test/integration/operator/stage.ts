/**
 * The rest of a cluster, played by the test: a scheduler that binds, a kubelet that runs and ends containers, and a
 * node-daemon that says that guests run and that engines are gone.
 */
import {
  type InstanceStatus,
  PodLayout,
  type RunStrategy,
  type StateChangeRequest,
  type VirtualMachine,
} from '@wherry/api';
import {type Client, core, defineResource, keyOf, type KubeObject, type Node, type Pod} from '@wherry/kube';
import {type Instance, instances, type Machine, machines} from '@wherry/operator';
import {eventually} from '../../support/eventually.ts';
import {complaints} from './complaints.ts';

type PodStatus = NonNullable<Pod['status']>;

/**
 * How long things are waited for, and how often they are looked at, in ms. An operator that finds that it stood still, on a machine
 * that did, counts from then: a node is given its whole time again.
 */
const patience = {timeoutMs: 40_000, everyMs: 20};

export const aNode = (name: string, labels: Record<string, string> = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {name, labels: {'kubevirt.io/schedulable': 'true', 'wherry.dev/kvm': 'usable', ...labels}},
});

export interface VmOptions {
  readonly runStrategy?: RunStrategy;
  readonly memory?: string;
  readonly spec?: object;
  /** Of the template. */
  readonly annotations?: Record<string, string>;
}

export const aVm = (
  namespace: string,
  name: string,
  {runStrategy, memory, spec, annotations}: VmOptions = {},
): VirtualMachine =>
  ({
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: {name, namespace},
    spec: {
      runStrategy: runStrategy ?? 'Always',
      template: {
        ...(annotations === undefined ? {} : {metadata: {annotations}}),
        spec: {domain: {memory: {guest: memory ?? '128Mi'}, devices: {}}, ...spec},
      },
    },
  }) as VirtualMachine;

/** One namespace of the play, with its own actors. */
export class Stage {
  readonly client: Client;
  readonly namespace: string;
  /** uid of every pod that was ever seen here. */
  readonly podsSeen = new Set<string>();

  private constructor(client: Client, namespace: string) {
    this.client = client;
    this.namespace = namespace;
  }

  static async open(client: Client, namespace: string): Promise<Stage> {
    await client.create(core.namespaces, {apiVersion: 'v1', kind: 'Namespace', metadata: {name: namespace}});
    return new Stage(client, namespace);
  }

  async make(name: string, options: VmOptions = {}): Promise<void> {
    await this.client.create(machines, aVm(this.namespace, name, options) as Machine);
  }

  async setRunStrategy(name: string, runStrategy: string): Promise<void> {
    await this.client.mergePatch(machines, this.#key(name), {spec: {runStrategy}});
  }

  /** As `kubectl patch --subresource=status` does. */
  async ask(name: string, ...stateChangeRequests: StateChangeRequest[]): Promise<void> {
    await this.client.mergePatch(machines, this.#key(name), {status: {stateChangeRequests}}, {subresource: 'status'});
  }

  vm(name: string): Promise<Machine | undefined> {
    return this.client.get(machines, this.#key(name));
  }

  vmi(name: string): Promise<Instance | undefined> {
    return this.client.get(instances, this.#key(name));
  }

  async pods(): Promise<readonly Pod[]> {
    const pods = await this.client.list(core.pods, {namespace: this.namespace});
    for (const {metadata} of pods) this.podsSeen.add(metadata.uid ?? '');
    return pods;
  }

  /** The pod of the machine's present run. */
  async pod(name: string): Promise<Pod> {
    return this.until(`the pod of ${name}`, async () => {
      const vmi = await this.vmi(name);
      return (await this.pods()).find(pod => pod.metadata.labels?.['kubevirt.io/created-by'] === vmi?.metadata.uid);
    });
  }

  /** What `look` finds, once it finds something. */
  until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
    return eventually(async () => {
      const found = await look();
      if (found === undefined || found === false)
        throw new Error(`not within ${patience.timeoutMs} ms: ${what}\n${complaints()}`);
      return found;
    }, patience);
  }

  /** The instance in this phase; of another run than `not`, where it is given. */
  phase(name: string, phase: string, not?: string): Promise<Instance> {
    return this.until(`${name} is ${phase}`, async () => {
      const vmi = await this.vmi(name);
      return vmi?.status?.phase === phase && vmi.metadata.uid !== not ? vmi : undefined;
    });
  }

  status(name: string, printableStatus: string): Promise<Machine> {
    return this.until(`${name} is ${printableStatus}`, async () => {
      const vm = await this.vm(name);
      return vm?.status?.printableStatus === printableStatus ? vm : undefined;
    });
  }

  /** The scheduler and the kubelet: the pod runs on the node. */
  async run(pod: Pod, node = 'n1'): Promise<void> {
    const {name = ''} = pod.metadata;
    if (pod.spec?.nodeName === undefined) {
      const binding = defineResource<KubeObject>({
        group: '',
        version: 'v1',
        plural: `pods/${name}/binding`,
        kind: 'Binding',
        namespaced: true,
      });
      const target = {apiVersion: 'v1', kind: 'Node', name: node};
      await this.client.create(binding, {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: {name, namespace: this.namespace},
        target,
      } as KubeObject);
    }
    await this.#podStatus(name, {
      phase: 'Running',
      podIP: '10.244.0.7',
      qosClass: 'Burstable',
      conditions: [{type: 'Ready', status: 'True'}],
      containerStatuses: [compute({running: {startedAt: new Date().toISOString()}})],
    });
  }

  /** The kubelet: the launcher ended with this code. */
  async exit(pod: Pod, exitCode: number, message = ''): Promise<void> {
    await this.#podStatus(pod.metadata.name ?? '', {
      phase: exitCode === 0 ? 'Succeeded' : 'Failed',
      conditions: [{type: 'Ready', status: 'False', reason: 'PodCompleted'}],
      containerStatuses: [compute({terminated: {exitCode, message, reason: exitCode === 0 ? 'Completed' : 'Error'}})],
    });
  }

  /** The kubelet's last step, and what `kubectl delete --force --grace-period=0` does. */
  async remove(pod: Pod): Promise<void> {
    await this.client.delete(core.pods, keyOf(pod), {gracePeriodSeconds: 0});
  }

  /** The daemon: the guest runs. */
  async guestRuns(name: string): Promise<Instance> {
    const vmi = await this.phase(name, 'Scheduled');
    return this.#vmiStatus(vmi, {
      phase: 'Running',
      phaseTransitionTimestamps: [
        ...(vmi.status?.phaseTransitionTimestamps ?? []),
        {phase: 'Running', phaseTransitionTimestamp: new Date().toISOString().replace(/\.\d+/, '')},
      ],
      conditions: [
        ...(vmi.status?.conditions ?? []).filter(({type}) => type !== 'Ready'),
        {type: 'Ready', status: 'True', reason: 'GuestRunning'},
        {type: 'wherry.dev/EngineActive', status: 'True', reason: 'EngineStarted'},
      ],
    });
  }

  /** The daemon: no engine of this run lives. */
  async engineIsGone(name: string): Promise<void> {
    await this.until('the daemon says that the engine is gone', async () => {
      const vmi = await this.vmi(name);
      if (vmi === undefined) return true;
      const conditions = [
        ...(vmi.status?.conditions ?? []).filter(({type}) => type !== 'wherry.dev/EngineActive'),
        {type: 'wherry.dev/EngineActive', status: 'False' as const, reason: 'PodGone'},
      ];
      await this.#vmiStatus(vmi, {conditions});
      return true;
    });
  }

  /** From nothing to a running guest. */
  async started(name: string, not?: string, node = 'n1'): Promise<{vmi: Instance; pod: Pod}> {
    await this.phase(name, 'Scheduling', not);
    const pod = await this.pod(name);
    await this.run(pod, node);
    await this.guestRuns(name);
    await this.status(name, 'Running');
    return {vmi: await this.phase(name, 'Running'), pod};
  }

  /** The kubelet ends a pod that is being deleted. */
  async endDeleted(pod: Pod, exitCode = 20): Promise<void> {
    const {name = ''} = pod.metadata;
    await this.until(`pod ${name} is being deleted`, async () => {
      const now = await this.client.get(core.pods, keyOf(pod));
      return now?.metadata.deletionTimestamp !== undefined;
    });
    await this.exit(pod, exitCode);
    await this.remove(pod);
  }

  events(name: string): Promise<readonly string[]> {
    return this.client
      .list(core.events, {namespace: this.namespace})
      .then(all => all.filter(event => event.involvedObject?.name === name).map(event => event.reason ?? ''));
  }

  async #podStatus(name: string, status: PodStatus): Promise<void> {
    await this.client.mergePatch(core.pods, this.#key(name), {status}, {subresource: 'status'});
  }

  async #vmiStatus(vmi: Instance, status: InstanceStatus): Promise<Instance> {
    return this.until('a status is written', async () => {
      const now = (await this.vmi(vmi.metadata.name)) ?? vmi;
      return this.client.patchStatus(instances, now, status).catch((error: {status?: number}) => {
        if (error.status === 409) return undefined;
        // It is gone: there is nothing to say any more.
        if (error.status === 404) return now;
        throw error;
      });
    });
  }

  #key(name: string): {namespace: string; name: string} {
    return {namespace: this.namespace, name};
  }
}

const compute = (state: object): NonNullable<PodStatus['containerStatuses']>[number] => ({
  name: PodLayout.container,
  image: 'wherry/launcher:test',
  imageID: '',
  ready: 'running' in state,
  restartCount: 0,
  state,
});
