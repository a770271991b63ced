/** A namespace of the cluster whose nodes are broken, with machines that notice everything. */
import {expect} from '@jest/globals';
import {Cluster, type Pod, type Vmi} from '../../../e2e/cluster.ts';
import {faultsEnvironmentFile} from '../../../e2e/environment.ts';
import {eventually} from '../../../support/eventually.ts';
import {type TinyOptions, tinyVm} from '../../../support/guests.ts';
import type {Kubectl} from '../../../support/kubectl.ts';
import {type Book, bookKeeper, readBook} from './book.ts';
import {EngineWatch} from './engine-watch.ts';
import {enginePids, onNode} from './nodes.ts';
import {type Said, Stream} from './stream.ts';

/** How long after a fault is over the status may need to tell the truth. */
export const STATUS_MS = 10_000;

/** A run of a machine as it was before the fault. */
export interface Run {
  readonly name: string;
  readonly uid: string;
  readonly node: string;
  readonly pod: Pod;
  readonly said: Said;
}

export interface KeeperOptions extends TinyOptions {
  /** The node that it runs on. Defaults to the scheduler's choice. */
  readonly node?: string;
  /** A PersistentVolume for its book. Defaults to one that the cluster makes. */
  readonly volume?: string;
}

export class Stage {
  readonly cluster: Cluster;
  readonly system: Kubectl;
  readonly controlPlane = 'wherry-faults-control-plane';
  readonly engines: EngineWatch;
  readonly #streams = new Map<string, Stream>();

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.system = cluster.kubectl.in('wherry');
    this.engines = new EngineWatch(cluster.env.nodes);
  }

  static async open(prefix: string): Promise<Stage> {
    return new Stage(await Cluster.open(prefix, faultsEnvironmentFile));
  }

  async close(): Promise<void> {
    for (const stream of this.#streams.values()) stream.close();
    await this.cluster.close();
    this.engines.close();
  }

  /** A node where pods run. */
  node(index: number): string {
    const node = this.cluster.env.nodes[index];
    if (node === undefined) throw new Error(`there is no worker ${index}`);
    return node;
  }

  /** The machine's name among the engines of all nodes. */
  machine(name: string): string {
    return `${this.cluster.kubectl.namespace}_${name}`;
  }

  /** The process id, on its node, of the one engine of a run. */
  async engine({node, name}: Run): Promise<number> {
    const pids = await enginePids(node, this.machine(name));
    expect(pids).toHaveLength(1);
    return pids[0]!;
  }

  /** What was told of a machine and its instance, as a table. */
  events(name: string): Promise<string> {
    return this.cluster.kubectl.run('get', 'events', '--field-selector', `involvedObject.name=${name}`);
  }

  /** Makes a machine whose guest keeps a book on a claim. */
  async keeper(name: string, options: KeeperOptions = {}): Promise<void> {
    const {node, volume, disks = [], volumes = [], spec, ...rest} = options;
    const claim = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {name},
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: {requests: {storage: '8Mi'}},
        ...(volume === undefined ? {} : {volumeName: volume, storageClassName: ''}),
      },
    };
    const vm = tinyVm(name, this.cluster.env.images.tiny, {
      ...rest,
      disks: [{name: 'book', disk: {bus: 'virtio'}}, {name: 'seed', disk: {bus: 'virtio'}}, ...disks],
      volumes: [
        {name: 'book', persistentVolumeClaim: {claimName: name}},
        {name: 'seed', cloudInitNoCloud: {userData: bookKeeper}},
        ...volumes,
      ],
      spec: {...(node === undefined ? {} : {nodeSelector: {'kubernetes.io/hostname': node}}), ...spec},
    });
    await this.cluster.kubectl.apply(claim, vm);
  }

  /** Connects to the guest, which must run, once it keeps its book. */
  async connect(name: string): Promise<Run> {
    const vmi = await this.cluster.running(name);
    const pod = await this.cluster.pod(name);
    const url = `http://${pod.status.podIP}/cgi-bin/book`;
    const stream = await eventually(
      async () => {
        const candidate = new Stream(this.controlPlane, url);
        try {
          await eventually(() => expect(candidate.last?.flushed).toBeGreaterThan(0), {timeoutMs: 20_000});
          return candidate;
        } catch (error) {
          candidate.close();
          throw error;
        }
      },
      {timeoutMs: 150_000},
    );
    this.#streams.get(name)?.close();
    this.#streams.set(name, stream);
    stream.takeLongestSilence();
    return {name, uid: vmi.metadata.uid, node: pod.spec.nodeName ?? '', pod, said: this.said(name)};
  }

  stream(name: string): Stream {
    const stream = this.#streams.get(name);
    if (stream === undefined) throw new Error(`nobody is connected to ${name}`);
    return stream;
  }

  said(name: string): Said {
    const {last} = this.stream(name);
    if (last === undefined) throw new Error(`${name} has said nothing yet`);
    return last;
  }

  /** The guest lives as if nothing had happened: same boot, same connection, one engine, and it still writes. */
  async livesOn(run: Run): Promise<void> {
    const stream = this.stream(run.name);
    const {flushed} = this.said(run.name);
    await eventually(() => expect(this.said(run.name).flushed).toBeGreaterThan(flushed + 1), {timeoutMs: 10_000});
    expect(stream.broken).toBeUndefined();
    expect(this.said(run.name).boot).toBe(run.said.boot);
    expect(this.engines.most(this.machine(run.name))).toBe(1);
    expect(this.engines.count(this.machine(run.name))).toBe(1);
    await this.bookIsWhole(run);
    figure(`${run.name}: longest silence of its stream`, stream.takeLongestSilence());
  }

  /** All that the guest ever told of as flushed is on its disk. */
  async bookIsWhole(run: Pick<Run, 'name' | 'node'>): Promise<void> {
    const {flushed} = this.said(run.name);
    const book = await this.book(run);
    expect(book.broken).toBeUndefined();
    expect(book.whole).toBeGreaterThanOrEqual(flushed);
  }

  async book({name, node}: Pick<Run, 'name' | 'node'>): Promise<Book> {
    const {kubectl} = this.cluster;
    const volume = await kubectl.run('get', 'pvc', name, '-o', 'jsonpath={.spec.volumeName}');
    const path = await kubectl.run('get', 'pv', volume, '-o', 'jsonpath={.spec.hostPath.path}{.spec.local.path}');
    return readBook(await onNode(node, 'sh', '-c', `tr -d '\\0' <${path}/disk.img`));
  }

  /**
   * What only the node-daemon writes is taken away, and must be there again, with everything else as it should be.
   * @returns how long that took, in ms.
   */
  async statusIsRight(run: Run, what: string): Promise<void> {
    const {cluster} = this;
    const before = (await cluster.vmi(run.name)).status;
    const began = performance.now();
    const blank = JSON.stringify({status: {interfaces: null, engine: {version: ''}}});
    await cluster.kubectl.run('patch', 'vmi', run.name, '--subresource=status', '--type=merge', '-p', blank);
    await eventually(
      async () => {
        const vmi = await cluster.vmi(run.name);
        expect(vmi.metadata.uid).toBe(run.uid);
        expect(vmi.status).toMatchObject({
          phase: 'Running',
          nodeName: run.node,
          engine: {name: 'qemu', version: before?.engine?.version},
        });
        expect(vmi.status?.interfaces?.[0]?.ipAddress).toBe(run.pod.status.podIP);
        expect(conditionOf(vmi, 'Ready')?.status).toBe('True');
        expect((await cluster.vm(run.name)).status).toMatchObject({printableStatus: 'Running', ready: true});
      },
      {timeoutMs: STATUS_MS},
    );
    expect(before?.phase).toBe('Running');
    figure(`${run.name}: status right after ${what}`, performance.now() - began);
  }

  /**
   * The machine runs again, in a new run, with all that was flushed before.
   * @returns the new run, and how long after `began` its status said Running, in ms.
   */
  async runsAgain(run: Run, what: string, began: number, timeoutMs = 60_000): Promise<Run> {
    await eventually(
      async () => {
        const vmi = await this.cluster.vmi(run.name);
        expect(vmi.metadata.uid).not.toBe(run.uid);
        expect(vmi.status?.phase).toBe('Running');
      },
      {timeoutMs, everyMs: 50},
    );
    figure(`${run.name}: Running again after ${what}`, performance.now() - began);
    expect(this.engines.most(this.machine(run.name))).toBe(1);
    const flushed = this.said(run.name).flushed;
    const again = await this.connect(run.name);
    expect(again.said.boot).not.toBe(run.said.boot);
    expect(again.said.flushed).toBeGreaterThanOrEqual(flushed);
    await this.bookIsWhole(again);
    return again;
  }

  /** Waits until this node's pod of a part of Wherry is ready, and is none of those in `old`. */
  async daemonOn(node: string, old?: string): Promise<Pod> {
    return eventually(
      async () => {
        const pods = await this.cluster.podsWith(component('node-daemon'), this.system.namespace);
        const pod = pods.find(one => one.spec.nodeName === node && one.metadata.deletionTimestamp === undefined);
        if (pod === undefined || pod.metadata.uid === old) throw new Error(`no new node-daemon is on ${node}`);
        await this.system.run('wait', `pod/${pod.metadata.name}`, '--for=condition=Ready', '--timeout=5s');
        return pod;
      },
      {timeoutMs: 90_000},
    );
  }
}

/** The label selector of a part of Wherry. */
export const component = (name: string): string => `app.kubernetes.io/component=${name}`;

type Condition = NonNullable<NonNullable<Vmi['status']>['conditions']>[number] & {readonly message?: string};

export const conditionOf = (vmi: Vmi, type: string): Condition | undefined =>
  vmi.status?.conditions?.find(one => one.type === type);

/** Says how long something took; the page on failures quotes these. */
export const figure = (what: string, ms: number): void => {
  process.stdout.write(`    ${(ms / 1000).toFixed(1)} s  ${what}\n`);
};
