/** The scheduler and the kubelet of one node, played: pods are folders, network namespaces and control groups with real launchers. */
import {existsSync} from 'node:fs';
import {mkdir, readdir, rmdir} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {PodLayout} from '@wherry/api';
import type {Pod} from '@wherry/kube';
import type {Stage} from '../../../integration/operator/stage.ts';
import {FakeVmPod, type PodPrograms} from '../../../support/fake-node.ts';
import {run} from '../../../support/kubectl.ts';
import type {Inventory} from '../../../support/node/inventory.ts';

/** Where control groups are made: that of processes where each controller has a hierarchy of its own. */
const cgroups = existsSync('/sys/fs/cgroup/cgroup.procs') ? '/sys/fs/cgroup' : '/sys/fs/cgroup/pids';

/** What a command of sh counts. grep calls it a failure to find nothing. */
const count = (command: string): Promise<number> => run('sh', ['-c', `${command} || true`]).then(Number);

export interface KubeletOptions {
  readonly on: Stage;
  readonly node: string;
  readonly programs: PodPrograms;
  /** Its folder of pods. */
  readonly folder: string;
}

export class Kubelet {
  readonly #options: KubeletOptions;
  /** By uid, what ends each of the pods that it ever had: a list may be older than the end of a pod. */
  readonly #ends = new Map<string, () => void>();
  readonly #lives: Promise<void>[] = [];
  #pods = 0;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  #failure: unknown;

  constructor(options: KubeletOptions) {
    this.#options = options;
    this.#ended = this.#run().catch((error: unknown) => this.#fail(error));
  }

  /** How many pods it has. @throws what went wrong with any of them */
  get pods(): number {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#pods;
  }

  /** What the machine has of everything that comes with pods, or that a daemon could make outside of them by mistake. */
  async inventory(): Promise<Inventory> {
    return {
      // The node's ends: they go with the network namespaces.
      'network devices of pods': await count("ip -o link show type veth | grep -cE ' wh[0-9a-f]{8}@'"),
      'taps on the node': await count('ip -o link show type tun | grep -c .'),
      'tables of nftables on the node': await count('nft list tables | grep -c wherry'),
      'folders of pods': (await readdir(this.#options.folder)).length,
    };
  }

  /** Ends all that run. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    for (const end of this.#ends.values()) end();
    await Promise.all(this.#lives);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      for (const pod of await this.#options.on.pods()) this.#look(pod);
      await sleep(100);
    }
  }

  #look(pod: Pod): void {
    const {uid = '', deletionTimestamp} = pod.metadata;
    const end = this.#ends.get(uid);
    if (end !== undefined) {
      if (deletionTimestamp !== undefined) end();
      return;
    }
    const {promise: deleted, resolve} = Promise.withResolvers<void>();
    this.#ends.set(uid, resolve);
    this.#pods += 1;
    this.#lives.push(this.#live(pod, uid, deleted).catch((error: unknown) => this.#fail(error)));
  }

  /** The life of a pod, in the order in which a kubelet does it. */
  async #live(pod: Pod, podUid: string, deleted: Promise<void>): Promise<void> {
    const {on, node, programs, folder} = this.#options;
    // By its name the daemon knows whose processes run there.
    const cgroup = join(cgroups, `pod${podUid}`);
    await mkdir(cgroup);
    const variables = new Map(pod.spec?.containers[0]?.env?.map(({name, value}) => [name, value ?? '']));
    const container = await FakeVmPod.start(programs, {
      podUid,
      instanceUid: variables.get(PodLayout.env.uid) ?? '',
      name: variables.get(PodLayout.env.name) ?? '',
      pods: folder,
      cgroup,
    });
    try {
      await on.run(pod, node);
      await Promise.race([deleted, container.exited]);
      await container.terminate();
      await on.exit(pod, await container.exited);
      await container.removeFolder();
    } finally {
      await container.stop();
      // Refused while any process is in it.
      await rmdir(cgroup);
    }
    await on.remove(pod);
    this.#pods -= 1;
  }
}
