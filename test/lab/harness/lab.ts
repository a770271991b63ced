/** A KVM host under emulation: QEMU's TCG is an AMD processor with virtualization, and Debian's kvm-amd runs on it. */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, existsSync, openSync} from 'node:fs';
import {cp, link, mkdir, mkdtemp, readFile, realpath, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {qemuClosure} from '../../../images/qemu-closure.ts';
import {repository} from '../../../scripts/core/paths.ts';
import {type Progress, progress as standardProgress} from '../../../scripts/core/progress.ts';
import {makeExt4} from './ext4.ts';
import {type Ended, GuestAgent} from './guest-agent.ts';
import {nodeParts, packInitrd} from './node-image.ts';

export interface LabOptions {
  /** Logs are kept in `.wherry/lab/<name>`. */
  readonly name: string;
  /** Files and folders that the node has below `/payload`, by their paths there; each comes from a path of this machine. */
  readonly files?: Readonly<Record<string, string>>;
  /** Raw disks of this machine that the node has after its own two, from `/dev/vdc` on. What it writes to them is lost. */
  readonly disks?: readonly string[];
  readonly progress?: Progress;
}

export interface RunOptions {
  /** In ms. Defaults to 60,000. The program is killed then. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

const MEMORY_MIB = 2560;
/** From QEMU's start to the agent's answer: some 10 s on an idle machine. */
const BOOT_MS = 180_000;
/** For the node to kill a program that takes too long, and to say so. */
const KILL_MS = 20_000;
/** Without tests and hooks of the kernel that nothing here needs. */
const KERNEL_ARGS = 'console=ttyS0 panic=-1 quiet mitigations=off cryptomgr.notests tsc=reliable lsm=capability';
const PAYLOAD_MIB = 2048;
/** What `timeout` ends with when it had to kill. */
const TIMED_OUT = [124, 137];

/** What the node's environment always has: pods' files on the disk, for memory is scarce. */
const ENV = {PATH: '/usr/sbin:/usr/bin', HOME: '/root', TMPDIR: '/var/tmp'};

/** One boot of the node. It ends with this process, however that ends. */
export class Lab implements AsyncDisposable {
  /** Holds `serial.log`, what the node's kernel and init said, and `qemu.log`. */
  readonly folder: string;
  readonly #qemu: ChildProcess;
  readonly #scratch: string;
  #agent: GuestAgent | undefined;

  private constructor(folder: string, scratch: string, qemu: ChildProcess) {
    this.folder = folder;
    this.#scratch = scratch;
    this.#qemu = qemu;
  }

  /** @throws Error with the end of the node's own log when it does not come up */
  static async boot({name, files = {}, disks = [], progress = standardProgress()}: LabOptions): Promise<Lab> {
    const folder = join(repository, '.wherry/lab', name);
    await rm(folder, {recursive: true, force: true});
    await mkdir(folder, {recursive: true});
    const scratch = await mkdtemp(join(tmpdir(), 'wherry-lab-'));
    const payload = join(scratch, 'payload');
    await layPayload(join(scratch, 'files'), payload, files);
    const log = openSync(join(folder, 'qemu.log'), 'w');
    const {bin} = await qemuClosure(progress);
    const args = await qemuArgs(progress, {folder, scratch, payload, disks});
    // setpriv, so that a test run that is killed leaves nothing behind.
    const qemu = spawn('setpriv', ['--pdeathsig', 'KILL', join(bin, 'qemu-system-x86_64'), ...args], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const lab = new Lab(folder, scratch, qemu);
    try {
      await progress.step(`boot the lab node ${name}`, () => lab.#meet());
      return lab;
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw new Error(`the lab node did not come up:\n${await lab.log()}`, {cause: error});
    }
  }

  /**
   * Runs a program of the node, found along its PATH.
   * @throws Error with the end of the node's log when it takes too long or the node dies
   */
  async run(argv: readonly string[], {timeoutMs = 60_000, env = {}}: RunOptions = {}): Promise<Ended> {
    if (this.#agent === undefined) throw new Error('the lab node is not up');
    const bounded = ['-k', '5', String(Math.ceil(timeoutMs / 1000)), ...argv];
    const variables = Object.entries({...ENV, ...env}).map(([key, value]) => `${key}=${value}`);
    const problem = async (what: string, said: string, cause?: unknown): Promise<Error> =>
      new Error(`${argv.join(' ')} ${what}\n${said}\n${await this.log()}`, {cause});
    let ended: Ended;
    try {
      const signal = AbortSignal.timeout(timeoutMs + KILL_MS);
      ended = await this.#agent.run('/usr/bin/timeout', bounded, variables, signal);
    } catch (error) {
      throw await problem('was lost with its node', '', error);
    }
    if (TIMED_OUT.includes(ended.status))
      throw await problem(`took more than ${timeoutMs} ms`, `${ended.stdout}\n${ended.stderr}`);
    return ended;
  }

  /** A file of the node, whole. */
  async read(path: string): Promise<Buffer> {
    if (this.#agent === undefined) throw new Error('the lab node is not up');
    return this.#agent.read(path);
  }

  /** The end of what the node's kernel and init said, and QEMU. */
  async log(): Promise<string> {
    const read = (file: string): Promise<string> => readFile(join(this.folder, file), 'utf8').catch(() => '');
    return `${await read('qemu.log')}\n${(await read('serial.log')).split('\n').slice(-60).join('\n')}`.trim();
  }

  /** Pulls the plug. The logs stay. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent?.close();
    if (this.#qemu.exitCode === null && this.#qemu.signalCode === null) {
      const ended = once(this.#qemu, 'exit');
      this.#qemu.kill('SIGKILL');
      await ended;
    }
    await rm(this.#scratch, {recursive: true, force: true});
  }

  async #meet(): Promise<void> {
    const dead = new AbortController();
    this.#qemu.once('exit', () => dead.abort(new Error('QEMU has ended')));
    const signal = AbortSignal.any([dead.signal, AbortSignal.timeout(BOOT_MS)]);
    const socket = agentSocket(this.#scratch);
    while (!existsSync(socket)) await sleep(50, undefined, {signal});
    this.#agent = await GuestAgent.connect(socket, signal);
  }
}

const agentSocket = (scratch: string): string => join(scratch, 'agent');

/** The node's second disk, read-only. */
async function layPayload(folder: string, disk: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder);
  for (const [path, source] of Object.entries(files)) {
    // A hard link to a symbolic one would lead nowhere.
    const from = await realpath(source);
    const to = join(folder, path);
    await mkdir(dirname(to), {recursive: true});
    // A hard link costs nothing; a folder, or what lies on another file system, has to be copied.
    await link(from, to).catch(() => cp(from, to, {recursive: true, dereference: true}));
  }
  await writeFile(join(folder, '.complete'), '');
  await makeExt4(folder, disk, PAYLOAD_MIB);
}

const virtioDisk = (id: string, file: string, options: string): string[] => [
  '-drive',
  `if=none,id=${id},file=${file},format=raw,${options}`,
  '-device',
  `virtio-blk-pci,drive=${id}`,
];

interface Node {
  readonly folder: string;
  readonly scratch: string;
  readonly payload: string;
  readonly disks: readonly string[];
}

async function qemuArgs(progress: Progress, {folder, scratch, payload, disks}: Node): Promise<string[]> {
  const parts = await nodeParts(progress);
  const {kernel, disk} = parts;
  const initrd = await packInitrd(parts, scratch);
  return [
    ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    // One CPU: with two of them, one may run into what the other one is just patching, in the node and in its guests, and into
    // QEMU's map of the memory while a device is set up (iotlb_to_section). And two nodes at a time have this machine's cores.
    ['-machine', 'q35', '-accel', 'tcg,tb-size=512', '-smp', '1', '-m', String(MEMORY_MIB)],
    // Five-level paging costs time on each page walk, and nothing here is so large.
    ['-cpu', 'max,-la57'],
    ['-kernel', kernel, '-initrd', initrd, '-append', KERNEL_ARGS],
    virtioDisk('root', disk, 'snapshot=on,cache=unsafe'),
    virtioDisk('payload', payload, 'readonly=on'),
    ...disks.map((file, index) => virtioDisk(`disk${index}`, file, 'snapshot=on,cache=unsafe,discard=unmap')),
    ['-serial', `file:${join(folder, 'serial.log')}`],
    ['-chardev', `socket,id=agent,path=${agentSocket(scratch)},server=on,wait=off`],
    ['-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0'],
  ].flat();
}
