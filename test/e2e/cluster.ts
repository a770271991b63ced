import {readFileSync} from 'node:fs';
import {Client, core, fromKubeconfig, type KubeObject, type Resource} from '@wherry/kube';
import {instances, machines} from '@wherry/operator';
import {Registry} from 'prom-client';
import {Console} from '../support/console.ts';
import {eventually} from '../support/eventually.ts';
import type {E2eEnvironment} from '../support/guests.ts';
import {Kubectl, run} from '../support/kubectl.ts';
import {environmentFile} from './environment.ts';

/** The parts of the objects that the tests look at. */
interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface Vm {
  readonly metadata: {readonly name: string; readonly uid: string};
  readonly status?: {
    readonly printableStatus?: string;
    readonly ready?: boolean;
    readonly conditions?: readonly Condition[];
  };
}

export interface Vmi {
  readonly metadata: {readonly name: string; readonly uid: string};
  readonly status?: {
    readonly phase?: string;
    readonly nodeName?: string;
    readonly evacuationNodeName?: string;
    readonly engine?: {readonly name: string; readonly version: string};
    readonly interfaces?: readonly {readonly ipAddress?: string}[];
    readonly conditions?: readonly Condition[];
  };
}

export interface Pod {
  readonly metadata: {readonly name: string; readonly uid: string; readonly deletionTimestamp?: string};
  readonly spec: {readonly nodeName?: string};
  readonly status: {readonly phase: string; readonly podIP?: string};
}

/** In ms, where a question is a process of its own. One takes 0.2 s of a CPU, which guests need under emulation. */
const POLL_MS = 1000;

/** One namespace of the cluster. What a user would do in it, kubectl does; what is only waited for is read without it. */
export class Cluster {
  readonly env: E2eEnvironment;
  readonly kubectl: Kubectl;
  readonly #client: Client;

  private constructor(env: E2eEnvironment, client: Client, namespace: string) {
    this.env = env;
    this.#client = client;
    this.kubectl = new Kubectl(env.kubectl, env.kubeconfig, namespace);
  }

  /** Connects to the cluster that the set-up made, in a new namespace that admits only pods without any privilege. */
  static async open(prefix: string, file: string = environmentFile): Promise<Cluster> {
    const env = JSON.parse(readFileSync(file, 'utf8')) as E2eEnvironment;
    const namespace = `${prefix}-${Math.random().toString(36).slice(2, 7)}`;
    const kubeConfig = await fromKubeconfig(env.kubeconfig);
    const client = new Client({kubeConfig, userAgent: 'wherry-e2e', registry: new Registry()});
    const cluster = new Cluster(env, client, namespace);
    await cluster.kubectl.run('create', 'namespace', namespace);
    await cluster.kubectl.run('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted');
    return cluster;
  }

  /** Deletes the namespace with all its machines. */
  async close(): Promise<void> {
    await this.kubectl.run('delete', 'vm,vmi', '--all', '--timeout=90s');
    await this.kubectl.run('delete', 'namespace', this.kubectl.namespace, '--wait=false');
    await this.#client.close();
  }

  vm(name: string): Promise<Vm> {
    return this.#get<Vm>(machines, name);
  }

  vmi(name: string): Promise<Vmi> {
    return this.#get<Vmi>(instances, name);
  }

  /** The pods of a machine, those going away included. */
  pods(name: string): Promise<readonly Pod[]> {
    return this.podsWith(`kubevirt.io=virt-launcher,vm.kubevirt.io/name=${name}`);
  }

  /** The pods that a selector of labels finds, in this namespace where no other is named. */
  async podsWith(labelSelector: string, namespace: string = this.kubectl.namespace): Promise<readonly Pod[]> {
    return (await this.#client.list(core.pods, {namespace, labelSelector})) as unknown as readonly Pod[];
  }

  async #get<T>(resource: Resource<KubeObject>, name: string): Promise<T> {
    const object = await this.#client.get(resource, {namespace: this.kubectl.namespace, name});
    if (object === undefined) throw new Error(`there is no ${resource.kind} ${name}`);
    return object as unknown as T;
  }

  async pod(name: string): Promise<Pod> {
    const [pod] = await this.pods(name);
    if (pod === undefined) throw new Error(`no pod of ${name} is there`);
    return pod;
  }

  /** Waits until `kubectl get vm` shows this word. */
  async status(name: string, printable: string, timeoutMs = 120_000): Promise<Vm> {
    return eventually(
      async () => {
        const vm = await this.vm(name);
        if (vm.status?.printableStatus !== printable)
          throw new Error(`VM ${name} is ${vm.status?.printableStatus}, not ${printable}`);
        return vm;
      },
      {timeoutMs},
    );
  }

  async running(name: string, timeoutMs = 120_000): Promise<Vmi> {
    await this.status(name, 'Running', timeoutMs);
    return this.vmi(name);
  }

  /** Asks for the eviction of its pod, as a drain does. */
  async evict(name: string): Promise<string> {
    const pod = (await this.pod(name)).metadata.name;
    const {namespace} = this.kubectl;
    return this.kubectl.post(`/api/v1/namespaces/${namespace}/pods/${pod}/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: {name: pod, namespace},
    });
  }

  /** Waits until no pod of the machine is left: the kubelet removes one a moment after its guest has ended. */
  async podGone(name: string): Promise<void> {
    await eventually(async () => {
      const left = (await this.pods(name)).map(pod => pod.metadata.name);
      if (left.length > 0) throw new Error(`${left.join(', ')} of ${name} is still there`);
    });
  }

  /** The serial console of a machine, as `kubectl attach -it` gives it. */
  async console(name: string): Promise<Console> {
    const pod = await this.pod(name);
    return new Console(this.kubectl.spawnInTerminal('attach', '-it', pod.metadata.name));
  }

  /** The boot log so far. */
  async logs(name: string): Promise<string> {
    const pod = await this.pod(name);
    return this.#client.podLog({namespace: this.kubectl.namespace, name: pod.metadata.name});
  }

  /** Waits for a line of the boot log. The time is for several guests that are emulated on two CPUs. */
  async booted(name: string, pattern: RegExp, timeoutMs = 240_000): Promise<RegExpMatchArray> {
    return eventually(
      async () => {
        const logs = await this.logs(name);
        const match = logs.match(pattern);
        if (match === null)
          throw new Error(`the log of ${name} never showed ${pattern}; its end:\n${logs.slice(-1500)}`);
        return match;
      },
      {timeoutMs},
    );
  }

  /** Runs a command on a node, as an administrator logged in there would. */
  onNode(node: string, ...command: string[]): Promise<string> {
    return run('docker', ['exec', node, ...command]);
  }

  /** What answers an HTTP request made from a node of the cluster. */
  async http(url: string, timeoutMs = 60_000): Promise<string> {
    const node = this.env.nodes[0] ?? '';
    return eventually(() => this.onNode(node, 'curl', '-sS', '--fail', '--max-time', '5', url), {
      timeoutMs,
      everyMs: POLL_MS,
    });
  }

  /** Process ids, on a node, of the QEMU processes that run this machine: more than one would be a disaster. */
  async engines(node: string, name: string): Promise<readonly number[]> {
    const list = 'for p in /proc/[0-9]*; do echo "${p#/proc/} $(tr "\\0" " " < $p/cmdline 2>/dev/null)"; done';
    const out = await this.onNode(node, 'sh', '-c', list);
    const mark = `qemu-system-x86_64 -name guest=${this.kubectl.namespace}_${name},`;
    return out
      .split('\n')
      .filter(line => line.includes(mark))
      .map(line => Number.parseInt(line, 10));
  }
}
