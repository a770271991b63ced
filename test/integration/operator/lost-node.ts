/** Nodes that are lost and come back, for plays about them. */
import {core} from '@wherry/kube';
import type {Instance} from '@wherry/operator';
import {FakeDaemon, type FakeDaemonOptions} from './fake-daemon.ts';
import {aNode, type Stage, type VmOptions} from './stage.ts';
import type {Theatre} from './theatre.ts';

export const outOfService = {key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute'};

/** A node with its kubelet and its daemon. */
export class TestNode {
  readonly name: string;
  readonly daemon: FakeDaemon;
  readonly #theatre: Theatre;

  private constructor(theatre: Theatre, name: string, options: FakeDaemonOptions) {
    this.#theatre = theatre;
    this.name = name;
    this.daemon = new FakeDaemon(theatre.client, theatre.namespace, name, options);
  }

  static async join(theatre: Theatre, name: string, options: FakeDaemonOptions = {}): Promise<TestNode> {
    await theatre.client.create(core.nodes, aNode(name));
    await theatre.ready(name);
    return new TestNode(theatre, name, options);
  }

  /** The machine is off, or cut off; the node controller notices. */
  async lose(): Promise<void> {
    await this.daemon.stop();
    await this.#theatre.kubeletIs(this.name, 'Unknown');
  }

  /** It is on again, with its daemon. */
  async comeBack(): Promise<void> {
    await this.#theatre.kubeletIs(this.name, 'True');
    await this.daemon.start();
  }

  async taint(): Promise<void> {
    await this.#theatre.client.mergePatch(core.nodes, {name: this.name}, {spec: {taints: [outOfService]}});
  }

  async delete(): Promise<void> {
    await this.#theatre.client.delete(core.nodes, {name: this.name});
  }

  async label(): Promise<string | undefined> {
    const node = await this.#theatre.client.get(core.nodes, {name: this.name});
    return node?.metadata.labels?.['kubevirt.io/schedulable'];
  }

  /** A machine whose guest runs here. */
  async hosts(on: Stage, name: string, options: VmOptions = {}): Promise<Instance> {
    await on.make(name, options);
    await this.runs(on, name);
    return on.phase(name, 'Running');
  }

  /** The next run of a machine starts here. */
  async runs(on: Stage, name: string, not?: string): Promise<void> {
    await on.phase(name, 'Scheduling', not);
    await on.run(await on.pod(name), this.name);
    await on.guestRuns(name);
    await on.status(name, 'Running');
  }
}

export const readyOf = (
  object: {status?: {conditions?: readonly {type: string; reason?: string; message?: string}[]}} | undefined,
) => object?.status?.conditions?.find(({type}) => type === 'Ready');
