import {spawn} from 'node:child_process';
import {chmod, chown, link, copyFile, mkdir, mkdtemp, rm, symlink} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {PodLayout} from '@wherry/api';
import {run} from '../../scripts/core/command.ts';

/** Programs that a pod is made of. */
export interface PodPrograms {
  /** Root of QEMU's closure. */
  readonly closure: string;
  readonly launcher: string;
  /** The native engine. */
  readonly vmm: string;
  readonly guest: {readonly kernel: string; readonly initrd: string};
}

/** Addresses of a pod's network: the node's end, from which the cluster reaches it, and the pod's. */
interface PodNetwork {
  readonly node: string;
  readonly pod: string;
}

/** Bytes, as of an overlay network. */
const MTU = '1450';

/** From a range that documentation and benchmarks use, so that no real network is hidden. */
const networkOf = (podUid: string): PodNetwork => {
  const subnet = `198.18.${Number.parseInt(podUid.slice(0, 2), 16)}`;
  return {node: `${subnet}.1`, pod: `${subnet}.2`};
};

/** PID and mount namespaces of its own. */
const unshare = ['unshare', '--mount', '--pid', '--fork', '--'];

/** Before the namespaces are made: `ip netns exec` mounts a /sys of its own, which has no control groups. */
const joining = (cgroup: string): readonly string[] => ['sh', '-c', 'echo $$ >"$0/cgroup.procs"; exec "$@"', cgroup];

export interface FakePodOptions {
  readonly podUid: string;
  readonly instanceUid: string;
  readonly name: string;
  /** The kubelet's folder of pods. Defaults to one of its own. */
  readonly pods?: string;
  /** Names of volumes that are claims: empty folders. */
  readonly claims?: readonly string[];
  /** Path of a control group that it shall run in. */
  readonly cgroup?: string;
}

/**
 * A VM pod as kubelet, runtime and CNI would have made it: a folder in the kubelet's layout, a network namespace with
 * eth0, and the real launcher as PID 1 of its container. Needs root.
 */
export class FakeVmPod {
  readonly pods: string;
  readonly netns: string;
  readonly network: PodNetwork;
  /** What the launcher has printed: the guest's console. */
  console = '';
  /** Resolves with the exit code of the container. */
  readonly exited: Promise<number>;
  readonly #folder: string;
  readonly #podUid: string;
  readonly #child: ReturnType<typeof spawn>;

  private constructor(folder: string, netns: string, programs: PodPrograms, options: FakePodOptions) {
    this.#folder = folder;
    this.#podUid = options.podUid;
    this.pods = options.pods ?? join(folder, 'pods');
    this.netns = netns;
    this.network = networkOf(options.podUid);
    const container = [join(import.meta.dirname, 'fake-node/pod.sh'), join(folder, 'pod')];
    const isolated = [
      'ip',
      'netns',
      'exec',
      netns,
      ...unshare,
      ...container,
      programs.closure,
      programs.launcher,
      programs.vmm,
    ];
    const [program = '', ...args] = options.cgroup === undefined ? isolated : [...joining(options.cgroup), ...isolated];
    this.#child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {...process.env, [PodLayout.env.uid]: options.instanceUid, [PodLayout.env.name]: options.name},
    });
    const hear = (chunk: Buffer): void => {
      this.console += chunk.toString();
    };
    this.#child.stdout?.on('data', hear);
    this.#child.stderr?.on('data', hear);
    this.exited = new Promise(resolve => this.#child.once('exit', code => resolve(code ?? -1)));
  }

  static async start(programs: PodPrograms, options: FakePodOptions): Promise<FakeVmPod> {
    const folder = await mkdtemp(join(tmpdir(), 'wherry-node-'));
    await chmod(folder, 0o755);
    await layOut(folder, programs, options);
    const netns = await makeNetwork(options.podUid);
    return new FakeVmPod(folder, netns, programs, options);
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Runs a command inside the pod's network. */
  inside(...command: string[]): Promise<string> {
    return run('ip', ['netns', 'exec', this.netns, ...command]);
  }

  /** The disk that a claim with a file system holds. */
  claimFile(claim: string): string {
    return join(this.#folder, 'pod/volumes', claim, 'disk.img');
  }

  /** What the kubelet sends when the pod is deleted. */
  async terminate(): Promise<void> {
    await this.#signal('TERM');
  }

  /** The end of the container, as of an out-of-memory kill. */
  async kill(): Promise<void> {
    await this.#signal('KILL');
    await this.exited;
  }

  /** What the kubelet does when all containers have ended. */
  async removeFolder(): Promise<void> {
    await rm(join(this.pods, this.#podUid), {recursive: true, force: true});
  }

  async stop(): Promise<void> {
    await this.kill();
    await run('ip', ['netns', 'delete', this.netns]);
    await rm(this.#folder, {recursive: true, force: true});
  }

  /** To the launcher itself: what made its namespaces only waits for it. */
  async #signal(name: string): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      await run('pkill', [`-${name}`, '-P', String(this.#child.pid)]);
  }
}

const layOut = async (
  folder: string,
  {guest}: PodPrograms,
  {podUid, claims = [], pods = join(folder, 'pods')}: FakePodOptions,
): Promise<void> => {
  const pod = join(folder, 'pod');
  const sockets = join(pods, podUid, 'volumes/kubernetes.io~empty-dir', PodLayout.socketsVolume);
  for (const path of ['root', 'private', 'kernel/boot', 'volumes']) await mkdir(join(pod, path), {recursive: true});
  await mkdir(sockets, {recursive: true});
  await symlink(sockets, join(pod, 'sockets'));
  const volumes = claims.map(claim => join(pod, 'volumes', claim));
  for (const path of volumes) await mkdir(path);
  for (const path of [sockets, join(pod, 'private'), join(pod, 'volumes'), ...volumes]) {
    await chown(path, PodLayout.user, PodLayout.user);
    await chmod(path, 0o2770);
  }
  await share(guest.kernel, join(pod, 'kernel/boot/vmlinux'));
  await share(guest.initrd, join(pod, 'kernel/boot/initrd'));
};

/** A hard link where the cache lies on the same file system. */
const share = (from: string, to: string): Promise<void> => link(from, to).catch(() => copyFile(from, to));

const ip = (...args: string[]): Promise<string> => run('ip', args);

const makeNetwork = async (podUid: string): Promise<string> => {
  const name = `wherry-${podUid.slice(0, 8)}`;
  const nodeEnd = `wh${podUid.slice(0, 8)}`;
  const network = networkOf(podUid);
  await ip('netns', 'add', name);
  await ip('link', 'add', nodeEnd, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  await ip('address', 'add', `${network.node}/24`, 'dev', nodeEnd);
  await ip('link', 'set', nodeEnd, 'up', 'mtu', MTU);
  await ip('-n', name, 'link', 'set', 'lo', 'up');
  await ip('-n', name, 'address', 'add', `${network.pod}/24`, 'dev', 'eth0');
  await ip('-n', name, 'link', 'set', 'eth0', 'up', 'mtu', MTU);
  await ip('-n', name, 'route', 'add', 'default', 'via', network.node);
  return name;
};
