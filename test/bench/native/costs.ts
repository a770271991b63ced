/**
 * `node costs.ts VMM KERNELS OUTCOME`, on this machine or in a lab node: what it costs until a guest runs its first instruction.
 * KERNELS is a JSON object of paths by name.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, openSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import type {Socket} from 'node:net';
import {createInterface} from 'node:readline';
import type * as Koffi from 'koffi';

/** Of each kernel and of the empty machine, one for each round. */
export interface Costs {
  /** By the kernel: CPU ms of the engine's process from its start to the guest's first instruction. */
  readonly start: Readonly<Record<string, readonly number[]>>;
  /** Ms for KVM to make a machine with one vCPU. */
  readonly creation: readonly number[];
}

const ROUNDS = 3;
const [KVM_CREATE_VM, KVM_CREATE_VCPU] = [0xae01, 0xae41];

/** CPU ms of those threads of a process that are wanted, by their names. The kernel keeps it in ns. */
function cpuMs(pid: number, wanted: (name: string) => boolean): number {
  let ns = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const file = (name: string): string => readFileSync(`/proc/${pid}/task/${task}/${name}`, 'utf8').trim();
    if (wanted(file('comm'))) ns += Number(file('schedstat').split(' ')[0]);
  }
  return ns / 1e6;
}

/**
 * The engine answers no command before the kernel lies in memory and the vCPU stands at its entry. From then on only its control
 * thread does something, which lets the vCPU go: what that one thread has used in the end is all that is still to be added.
 */
async function timeStart(vmm: string, kernel: string): Promise<number> {
  const stdio: ('ignore' | 'inherit' | 'pipe' | number)[] = ['ignore', 'inherit', 'inherit'];
  const pass = (what: 'pipe' | number): number => stdio.push(what) - 1;
  const opened = [openSync('/dev/kvm', 'r+'), openSync(kernel, 'r')] as const;
  const [kvm, control, serial] = [pass(opened[0]), pass('pipe'), pass('pipe')];
  const boot = {kernel: pass(opened[1]), commandLine: 'console=ttyS0'};
  const machine = {memory: 128 * 1024 ** 2, cpus: 1, kvm, control, serial, boot, devices: [{kind: 'rng'}]};
  const engine = spawn(vmm, [JSON.stringify(machine)], {stdio});
  opened.forEach(closeSync);
  const ended = once(engine, 'close');
  try {
    return await measured(engine, engine.stdio[control] as Socket);
  } finally {
    engine.kill('SIGKILL');
    await ended;
  }
}

/** The first thread bears the program's name. */
const isControl = (name: string): boolean => name === 'wherry-vmm';

async function measured(engine: ChildProcess, control: Socket): Promise<number> {
  const pid = engine.pid ?? 0;
  let others = 0;
  control.write('{"execute":"qmp_capabilities"}\n');
  for await (const line of createInterface({input: control})) {
    const said = JSON.parse(line) as {return?: object; event?: string};
    if (said.event === 'RESUME') return others + cpuMs(pid, isControl);
    if (said.return === undefined || others > 0) continue;
    others = cpuMs(pid, name => !isControl(name));
    control.write('{"execute":"cont"}\n');
  }
  throw new Error('the engine has ended');
}

function timeCreation(): number {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const ioctl = koffi.load('libc.so.6').func('int ioctl(int, unsigned long, unsigned long)');
  const kvm = openSync('/dev/kvm', 'r+');
  const began = performance.now();
  const machine = ioctl(kvm, KVM_CREATE_VM, 0) as number;
  const vcpu = ioctl(machine, KVM_CREATE_VCPU, 0) as number;
  const took = performance.now() - began;
  if (machine < 0 || vcpu < 0) throw new Error('KVM makes no machine');
  [vcpu, machine, kvm].forEach(closeSync);
  return took;
}

const [vmm = '', kernels = '{}', outcome = ''] = process.argv.slice(2);
const start: Record<string, number[]> = {};
const creation: number[] = [];
// The first round finds cold caches, and is not counted.
for (let round = 0; round <= ROUNDS; round += 1) {
  const took = timeCreation();
  if (round > 0) creation.push(took);
  for (const [name, kernel] of Object.entries(JSON.parse(kernels) as Record<string, string>)) {
    const used = await timeStart(vmm, kernel);
    if (round > 0) (start[name] ??= []).push(used);
  }
}
writeFileSync(outcome, JSON.stringify({start, creation} satisfies Costs));
