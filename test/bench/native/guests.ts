/** The same guest on either engine, in a lab node: a kernel and a shell, one disk, one card whose frames the engine carries and one of vhost-net. */
import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, existsSync, openSync, readFileSync} from 'node:fs';
import type {Duplex, Readable, Writable} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import {openDevice} from '../../lab/harness/native/open.ts';
import {mappingsIn, qemuPartOf} from '../../support/node/smaps.ts';

export interface Paths {
  readonly vmm: string;
  /** The root in which QEMU lies. */
  readonly closure: string;
  readonly kernel: string;
  readonly initrd: string;
}

/** A card, by what carries its frames. */
export const carriers = ['the engine', 'vhost-net'] as const;
export type Carrier = (typeof carriers)[number];

/** Where each end of a card is. */
export interface Ends {
  readonly node: string;
  readonly guest: string;
}

const MEMORY_MIB = 128;
const isLoaded = /\/(vmlinux|initrd)$/;
const COMMAND_LINE = 'console=ttyS0 quiet net.ifnames=0 mitigations=off';
const STEP_MS = 120_000;

const macOf = (net: number): string => `02:00:00:00:00:0${net}`;
const endsOf = (net: number): Ends => ({node: `10.0.${net}.1`, guest: `10.0.${net}.2`});

export class Guest {
  readonly process: ChildProcess;
  readonly ends: Readonly<Record<Carrier, Ends>>;
  readonly #screen: Readable;
  readonly #keys: Writable;
  #said = '';

  private constructor(
    process: ChildProcess,
    [screen, keys]: readonly [Readable, Writable],
    nets: readonly [number, number],
  ) {
    this.process = process;
    this.#screen = screen;
    this.#keys = keys;
    this.ends = {'the engine': endsOf(nets[0]), 'vhost-net': endsOf(nets[1])};
    screen.on('data', (data: Buffer) => (this.#said += data.toString('latin1')));
    // How it ends is of no interest.
    for (const end of [screen, keys]) end.on('error', () => undefined);
  }

  static async onNative({vmm, kernel, initrd}: Paths, disk: string): Promise<Guest> {
    const nets = [2, 3] as const;
    const stdio: ('ignore' | 'inherit' | 'pipe' | number)[] = ['ignore', 'ignore', 'inherit'];
    const pass = (what: 'pipe' | number): number => stdio.push(what) - 1;
    const open = (path: string, flags = 'r'): number => pass(openSync(path, flags));
    const [kvm, control, serial] = [open('/dev/kvm', 'r+'), pass('pipe'), pass('pipe')];
    const cards = nets.map((net, index) => ({
      kind: 'net',
      name: `net${index}`,
      tap: `native${index}`,
      address: `${endsOf(net).node}/24`,
      vhost: index === 1,
      mac: macOf(net),
    }));
    const devices = [{kind: 'block', name: 'disk', path: disk}, ...cards];
    const machine = {
      memory: MEMORY_MIB * 1024 ** 2,
      cpus: 1,
      kvm,
      control,
      serial,
      boot: {kernel: open(kernel), initrd: open(initrd), commandLine: COMMAND_LINE},
      devices: devices.map(device => openDevice(device, pass)),
    };
    const engine = spawn(vmm, [JSON.stringify(machine)], {stdio});
    // A tap lives as long as anybody holds it.
    for (const held of stdio) if (typeof held === 'number') closeSync(held);
    const channel = engine.stdio[control] as Duplex;
    channel.on('error', () => undefined).resume();
    channel.write('{"execute":"qmp_capabilities"}\n{"execute":"cont"}\n');
    const console = engine.stdio[serial] as Duplex;
    return new Guest(engine, [console, console], nets);
  }

  static async onQemu({closure, kernel, initrd}: Paths, disk: string): Promise<Guest> {
    const nets = [4, 5] as const;
    const libraries = `${closure}/usr/lib/x86_64-linux-gnu`;
    const taps = nets.map((_, index) => `qemu${index}`);
    const cards = nets.flatMap((net, index) => [
      [
        '-netdev',
        `tap,id=net${index},ifname=${taps[index]},script=no,downscript=no,vhost=${index === 1 ? 'on' : 'off'}`,
      ],
      ['-device', `virtio-net-pci,netdev=net${index},mac=${macOf(net)},romfile=`],
    ]);
    const args = [
      ['--library-path', libraries, `${closure}/usr/bin/qemu-system-x86_64`, '-L', `${closure}/usr/share/qemu`],
      ['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio'],
      ['-machine', 'q35,dump-guest-core=off', '-accel', 'kvm', '-cpu', 'host', '-smp', '1'],
      ['-m', String(MEMORY_MIB)],
      ['-kernel', kernel, '-initrd', initrd, '-append', COMMAND_LINE],
      ['-drive', `if=none,id=disk,format=raw,file=${disk}`, '-device', 'virtio-blk-pci,drive=disk'],
      ...cards,
    ].flat();
    const engine = spawn(`${closure}/lib64/ld-linux-x86-64.so.2`, args, {stdio: ['pipe', 'pipe', 'inherit']});
    for (const [index, tap] of taps.entries()) {
      while (!existsSync(`/sys/class/net/${tap}`)) {
        if (engine.exitCode !== null) throw new Error('QEMU has ended');
        await sleep(20);
      }
      execFileSync('ip', ['addr', 'add', `${endsOf(nets[index]!).node}/24`, 'dev', tap]);
      execFileSync('ip', ['link', 'set', tap, 'up']);
    }
    return new Guest(engine, [engine.stdout, engine.stdin], nets);
  }

  /** Until its shell can be talked to and its cards have their addresses. */
  async booted(): Promise<void> {
    await this.#expect(/guest: up/);
    const cards = carriers.map((carrier, index) => {
      const card = `eth${index}`;
      return `ip addr flush dev ${card}; ip addr add ${this.ends[carrier].guest}/24 dev ${card}; ip link set ${card} up`;
    });
    await this.timed(cards.join('; '));
    for (const {guest} of Object.values(this.ends)) execFileSync('busybox', ['ping', '-c', '1', '-W', '20', guest]);
  }

  /** Runs a command in its shell; gives the seconds that it took by the guest's own clock. */
  async timed(command: string): Promise<number> {
    this.typeTimed(command);
    return this.took();
  }

  /** Types a command that says how long it took once it has ended well. */
  typeTimed(command: string): void {
    this.#keys.write(`read a b </proc/uptime; { ${command}; } && read c d </proc/uptime && echo "took $a $c;"\n`);
  }

  async end(): Promise<void> {
    const ended = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await ended;
  }

  /** Waits for what it says; in seconds. What has come of it may end at a decimal point, so that this is no mark of its end. */
  async took(): Promise<number> {
    const [, began, ended] = await this.#expect(/took ([\d.]+) ([\d.]+);/);
    return Number(ended) - Number(began);
  }

  /**
   * KiB of the engine's process, shared memory in proportion, beside the guest's RAM and the kernel's files, which the node's kernel
   * drops when memory is needed.
   */
  besideKiB(): number {
    const mappings = mappingsIn(readFileSync(`/proc/${this.process.pid}/smaps`, 'utf8'));
    const beside = mappings.filter(one => qemuPartOf(one) !== 'guest memory' && !isLoaded.test(one.name));
    return beside.reduce((sum, {proportional}) => sum + proportional, 0) / 1024;
  }

  /** Reads on until the console has said it since the last match. */
  async #expect(pattern: RegExp): Promise<RegExpExecArray> {
    const signal = AbortSignal.timeout(STEP_MS);
    for (;;) {
      const found = pattern.exec(this.#said);
      if (found !== null) {
        this.#said = this.#said.slice(found.index + found[0].length);
        return found;
      }
      try {
        await once(this.#screen, 'data', {signal});
      } catch (error) {
        throw new Error(`the guest did not say ${pattern.source}, but: ${this.#said.slice(-1000)}`, {cause: error});
      }
    }
  }
}
