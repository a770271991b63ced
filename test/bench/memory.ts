import {bytesOf} from '@wherry/api';
import {besideGuest, engineOf} from '../support/node/beside.ts';
import type {Process} from '../support/node/node-shell.ts';
import {type QemuPart, qemuParts, qemuUse} from '../support/node/smaps.ts';
import {quantity, type Section} from './figure.ts';
import type {Stage} from './stage.ts';
import {mean} from './statistics.ts';

const MiB = 1024 * 1024;

/** Proportional set sizes of the processes of one guest, in MiB. */
interface Beside {
  readonly launcher: number;
  readonly sandbox: number;
  readonly qemu: Readonly<Record<QemuPart, number>>;
  /** What the pod asks for beside the guest's memory. */
  readonly reserved: number;
  /** What it would be charged beside the guest's memory if it were alone on the node. */
  readonly alone: number;
}

/** Memory beside running guests. */
export const memorySection = async (stage: Stage, names: readonly string[]): Promise<Section> => {
  const all: Beside[] = [];
  for (const name of names) all.push(await besideOf(stage, name));
  const average = (value: (one: Beside) => number): number => mean(all.map(value));
  const part = (name: QemuPart): number => average(({qemu}) => qemu[name]);
  const qemu = part('own memory') + part('code and libraries');
  const launcher = average(one => one.launcher);
  const reserved = average(one => one.reserved);
  const alone = average(one => one.alone);
  const note = `mean of ${names.length}`;
  return {
    title: 'Memory beside the guest',
    how: 'proportional set size (a page that n processes share counts 1/n in each) of each process of the pod, guests booted and idle',
    figures: [
      {what: 'QEMU, without guest memory and TCG’s buffer', unit: 'MiB', value: qemu, goal: 45, note},
      {what: 'launcher', unit: 'MiB', value: launcher, goal: 3, note},
      {
        what: 'reserved ÷ measured',
        unit: '',
        value: reserved / alone,
        goal: 1.2,
        note: `${reserved.toFixed(0)} MiB reserved; ${alone.toFixed(0)} MiB is what such a pod alone on its node is charged`,
      },
    ],
    details: [
      ['of the pod', 'MiB'],
      ['launcher', quantity(launcher, 'MiB')],
      [
        'sandbox',
        quantity(
          average(one => one.sandbox),
          'MiB',
        ),
      ],
      ...qemuParts.map(name => [`QEMU: ${name}`, quantity(part(name), 'MiB')]),
    ],
  };
};

const besideOf = async (stage: Stage, name: string): Promise<Beside> => {
  const pod = await stage.podOf(name);
  const processes = await stage.node.processes(pod.metadata.uid ?? '');
  const launcher = processes.find(({program}) => program.startsWith('wherry-launcher'));
  const engine = engineOf(processes);
  const mappings = await stage.node.mappings(engine.pid);
  const qemu = qemuUse(mappings, 'proportional');
  const requested = bytesOf(pod.spec?.containers[0]?.resources?.requests?.['memory'] ?? '');
  const guest = bytesOf(stage.instances.get(name)?.spec.domain.memory?.guest ?? '');
  return {
    launcher: (launcher?.proportional ?? Number.NaN) / MiB,
    // The sandbox's program bears any name.
    sandbox: sandboxOf(processes, [engine, launcher]) / MiB,
    qemu: Object.fromEntries(qemuParts.map(part => [part, qemu[part] / MiB])) as Record<QemuPart, number>,
    reserved: (requested - guest) / MiB,
    alone: (await besideGuest(stage.node, pod.metadata.uid ?? '')).sum / MiB,
  };
};

const sandboxOf = (processes: readonly Process[], others: readonly (Process | undefined)[]): number =>
  processes.filter(one => !others.includes(one)).reduce((total, {proportional}) => total + proportional, 0);
