/** A real control plane with the chart installed, and operators that run in the test's process. */
import {execFile} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {mkdtempSync, writeFileSync} from 'node:fs';
import {rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {parseConfig} from '@wherry/api';
import {
  Client,
  core,
  defineResource,
  fromKubeconfig,
  type KubeConfig,
  type KubeObject,
  LiveFile,
  type Log,
  type Pod,
  systemClock,
} from '@wherry/kube';
import {type Condition, conditionProblem} from '@wherry/api';
import {makeOperator} from '@wherry/operator';
import {Registry} from 'prom-client';
import {run} from '../../../scripts/core/command.ts';
import {ChartTarget} from '../../support/chart.ts';
import {type ControlPlane, startControlPlane} from '../../support/control-plane.ts';
import {eventually} from '../../support/eventually.ts';
import {Kubectl} from '../../support/kubectl.ts';
import {complaining} from './complaints.ts';

const quotas = defineResource<KubeObject>({
  group: '',
  version: 'v1',
  plural: 'resourcequotas',
  kind: 'ResourceQuota',
  namespaced: true,
});

const limitRanges = defineResource<KubeObject>({
  group: '',
  version: 'v1',
  plural: 'limitranges',
  kind: 'LimitRange',
  namespaced: true,
});

const ignore = (): void => undefined;
/** For what a test provokes. */
const silent: Log = {debug: ignore, info: ignore, warn: ignore, error: ignore};

/** Namespace of the release. */
const release = 'wherry';

interface Life {
  /** Writes until it dies. */
  left: number;
}

interface Running {
  readonly life: Life;
  readonly stop: AbortController;
  readonly done: Promise<void>;
  readonly registry: Registry;
}

export class Theatre {
  readonly client: Client;
  readonly #control: ControlPlane;
  readonly #operators = new Map<string, Running>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'wherry-theatre-'));
  #writes = 0;
  /** Conditions that an operator wrote with a word that the list of reasons does not have. */
  readonly strayWords: string[] = [];

  private constructor(control: ControlPlane, client: Client) {
    this.#control = control;
    this.client = client;
    this.configure({});
  }

  /** Changes the configuration of all operators, as the kubelet does with the file that they read. */
  configure(config: object): void {
    writeFileSync(this.#configPath, JSON.stringify({launcherImage: 'wherry/launcher:test', ...config}));
  }

  get #configPath(): string {
    return join(this.#folder, 'config.json');
  }

  static async open(): Promise<Theatre> {
    const control = await startControlPlane();
    await new ChartTarget(control).install();
    const client = new Client({
      kubeConfig: await fromKubeconfig(control.kubeconfig),
      userAgent: 'test',
      registry: new Registry(),
    });
    const theatre = new Theatre(control, client);
    await theatre.#kindsAreServed();
    return theatre;
  }

  /** Admission learns of new kinds from discovery, which it may have read just before they came, and then half a minute later. */
  async #kindsAreServed(): Promise<void> {
    const kubectl = this.kubectl('default');
    const instance = {domain: {memory: {guest: '64Mi'}, devices: {}}};
    const objects = [
      {kind: 'VirtualMachine', spec: {runStrategy: 'Halted', template: {spec: instance}}},
      {kind: 'VirtualMachineInstance', spec: instance},
    ].map(object => JSON.stringify({...object, apiVersion: 'kubevirt.io/v1', metadata: {name: 'probe'}}));
    for (const object of objects)
      await eventually(() => kubectl.pipe(object, 'create', '--dry-run=server', '-f', '-'), {timeoutMs: 60_000});
  }

  async close(): Promise<void> {
    await this.stopOperators();
    await this.client?.close();
    await this.#control.stop();
    await rm(this.#folder, {recursive: true});
  }

  /** Where the release lies. */
  readonly namespace = release;

  get admin(): ControlPlane['admin'] {
    return this.#control.admin;
  }

  /** The user's own tool, as a cluster admin, in one namespace. */
  kubectl(namespace: string): Kubectl {
    return new Kubectl(this.#control.kubectl, this.#control.kubeconfig, namespace);
  }

  /** What operators have asked of the API server so far. */
  audited(): ReturnType<ControlPlane['audited']> {
    return this.#control.audited();
  }

  /**
   * @param diesAfter the process is as good as dead after so many writes: they are carried out, but nothing that
   * follows is. Events and the election's writes do not count and go on. Defaults to never.
   */
  async startOperator(name: string, diesAfter = Number.POSITIVE_INFINITY): Promise<void> {
    const registry = new Registry();
    const client = new Client({kubeConfig: await this.#credentials(), userAgent: 'wherry-operator', registry});
    const life: Life = {left: diesAfter};
    const path = this.#configPath;
    const config = new LiveFile({
      path,
      parse: parseConfig,
      metric: 'wherry_config',
      everyMs: 50,
      log: silent,
      registry,
    });
    const operator = makeOperator({
      client: this.#counting(client, life),
      config,
      log: complaining,
      registry,
      clock: systemClock,
      random: () => 0,
      identity: `${name}_${randomUUID()}`,
      namespace: release,
      healthPort: 0,
      metricsPort: 0,
    });
    operator.addRunnable(config);
    const stop = new AbortController();
    const done = operator.run(stop.signal).then(() => client.close());
    this.#operators.set(name, {life, stop, done, registry});
  }

  /** Those of the chart's service account: what the operator may do is part of every test. */
  async #credentials(): Promise<KubeConfig> {
    const {url, admin, kubectl, kubeconfig} = this.#control;
    const token = await run(kubectl, ['create', 'token', 'wherry-operator', '--namespace', release], {
      env: {KUBECONFIG: kubeconfig},
    });
    return {
      url,
      tls: async () => ({ca: admin.ca}),
      headers: async () => ({authorization: `Bearer ${token.trim()}`}),
    };
  }

  /** As on SIGTERM: the lease is given up. */
  async stopOperator(name: string): Promise<void> {
    const running = this.#operators.get(name);
    this.#operators.delete(name);
    running?.stop.abort();
    await running?.done;
  }

  async stopOperators(): Promise<void> {
    for (const name of this.#operators.keys()) await this.stopOperator(name);
  }

  hasDied(name: string): boolean {
    return this.#operators.get(name)?.life.left === 0;
  }

  /** Which of the operators leads. */
  async leader(): Promise<string> {
    return eventually(
      async () => {
        for (const [name, {registry}] of this.#operators)
          if ((await registry.metrics()).includes('leader_election_master_status{name="wherry-operator"} 1'))
            return name;
        throw new Error('nobody leads');
      },
      {timeoutMs: 30_000, everyMs: 50},
    );
  }

  /** Writes of all operators so far, without events and the election’s. */
  get writes(): number {
    return this.#writes;
  }

  /** The node controller's word: Unknown while the kubelet is not heard of. */
  async kubeletIs(name: string, ready: 'True' | 'Unknown'): Promise<void> {
    const status = {conditions: [{type: 'Ready', status: ready, reason: 'Kubelet'}]};
    await this.client.mergePatch(core.nodes, {name}, {status}, {subresource: 'status'});
  }

  /** The kubelet: the node is ready. */
  async ready(name: string): Promise<void> {
    await this.kubeletIs(name, 'True');
    // The API server marks new nodes until the node controller, which is not here, takes the mark off.
    await this.client.mergePatch(core.nodes, {name}, {spec: {taints: null}});
  }

  /** What kubectl prints, warnings and all, when it is to make this object, which is not kept. */
  async tryOut(object: object): Promise<string> {
    const {kubectl, kubeconfig} = this.#control;
    const file = `${kubeconfig}.object`;
    await writeFile(file, JSON.stringify(object));
    const env = {...process.env, KUBECONFIG: kubeconfig};
    const {stdout, stderr} = await promisify(execFile)(kubectl, ['create', '--dry-run=server', '-f', file], {env});
    return stdout + stderr;
  }

  /** Makes the quota and waits until the API server enforces it. */
  async createQuota(namespace: string): Promise<void> {
    const key = {namespace, name: 'none'};
    await this.client.create(quotas, {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: key,
      spec: {hard: {pods: '0'}},
    } as KubeObject);
    // Nothing here counts usage, which the admission asks for.
    await this.client.mergePatch(
      quotas,
      key,
      {status: {hard: {pods: '0'}, used: {pods: '0'}}},
      {subresource: 'status'},
    );
  }

  /** Makes a limit range and waits until the API server enforces it: admission reads it from a cache. */
  async createLimitRange(namespace: string, memory: string): Promise<void> {
    await this.client.create(limitRanges, {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: {namespace, name: 'small'},
      spec: {limits: [{type: 'Container', max: {memory}}]},
    } as KubeObject);
    const resources = {limits: {memory: '100Gi'}};
    await this.#refused({namespace, generateName: 'large-'}, {containers: [{name: 'c', image: 'i', resources}]});
  }

  /** The client itself, with its writes counted, until it dies. */
  #counting(client: Client, life: Life): Client {
    const writing = new Set<string | symbol>(['create', 'apply', 'update', 'mergePatch', 'patchStatus', 'delete']);
    return new Proxy(client, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target);
        if (typeof value !== 'function') return value;
        if (property === 'guardedBy') return (guard: () => void) => this.#counting(target.guardedBy(guard), life);
        return (...args: unknown[]): unknown => {
          const {plural} = (args[0] ?? {}) as {plural?: string};
          if (!writing.has(property) || plural === 'events' || plural === 'leases')
            return Reflect.apply(value, target, args);
          if (life.left <= 0) return Promise.reject(new Error('this operator is dead'));
          life.left -= 1;
          this.#writes += 1;
          if (property === 'patchStatus') this.#holdAgainstTheList(args);
          const answer = Reflect.apply(value, target, args) as Promise<unknown>;
          // The server did what it was asked, and nobody heard of it.
          return life.left > 0 ? answer : answer.then(() => Promise.reject(new Error('this operator died')));
        };
      },
    });
  }

  #holdAgainstTheList([resource, , status]: readonly unknown[]): void {
    const kind = (resource as {kind: 'VirtualMachine' | 'VirtualMachineInstance'}).kind;
    for (const condition of (status as {conditions?: Condition[]}).conditions ?? []) {
      const problem = conditionProblem(kind, condition);
      if (problem !== undefined) this.strayWords.push(problem);
    }
  }

  async deleteQuota(namespace: string): Promise<void> {
    await this.client.delete(quotas, {namespace, name: 'none'});
  }

  /** Resolves when the API server refuses a plain pod in the namespace: admission reads it from a cache. */
  async restrictedIsEnforced(namespace: string): Promise<void> {
    await this.#refused({namespace, generateName: 'plain-'}, {containers: [{name: 'c', image: 'i'}]});
  }

  async #refused(metadata: Pod['metadata'], spec: NonNullable<Pod['spec']>): Promise<void> {
    await eventually(
      async () => {
        const made = await this.client
          .create(core.pods, {apiVersion: 'v1', kind: 'Pod', metadata, spec})
          .catch(() => undefined);
        if (made !== undefined) throw new Error('the pod is still admitted');
      },
      {timeoutMs: 10_000, everyMs: 50},
    );
  }
}
