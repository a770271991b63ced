import {type Figure, quantity, type Section} from '../figure.ts';
import {percentile} from '../statistics.ts';
import type {Costs} from './costs.ts';
import type {Pair, Speeds} from './speed.ts';

/** Where figures without a usable KVM come from. Its speed is the emulation's. */
export const EMULATED = 'in an emulated AMD machine';

const goalMs = 8;
/** The kernel that only halts. */
export const EMPTY = 'a kernel that only halts';

const median = (values: readonly number[]): number => percentile(values, 0.5);

const range = (values: readonly number[], unit: Figure['unit']): string =>
  `${quantity(percentile(values, 0), unit)} to ${quantity(percentile(values, 1), unit)}, n = ${values.length}`;

/**
 * CPU until the first instruction, and what KVM takes for a machine.
 * @param where a KVM was: on this machine, or emulated.
 */
export const startSection = ({start, creation}: Costs, where: string): Section => {
  const empty = median(start[EMPTY] ?? []);
  return {
    title: `Native engine, until its guest runs, ${where}`,
    how: 'user and system CPU of the engine’s own process, all its threads, from its start to the entry into the guest’s first instruction: 1 vCPU, 128 MiB; KVM’s time is that of KVM_CREATE_VM and KVM_CREATE_VCPU by the clock',
    figures: [
      ...Object.entries(start).map(([kernel, values]): Figure => {
        const more = median(values) - empty;
        return {
          what: `process start → first guest instruction, ${kernel}`,
          unit: 'ms',
          value: median(values),
          goal: goalMs,
          note: range(values, 'ms'),
          ...(kernel !== EMPTY && {
            why: `${quantity(more, 'ms')} are this kernel’s way into memory: without, it is ${quantity(empty, 'ms')}`,
          }),
        };
      }),
      {
        what: 'KVM makes a machine with one vCPU',
        unit: 'ms',
        value: median(creation),
        note: range(creation, 'ms'),
      },
    ],
  };
};

/** What the engine needs, whatever the machine's speed. */
export const sizeSection = ({besideKiB}: Speeds, programBytes: number): Section => ({
  title: `Native engine, memory and size, ${EMULATED}`,
  how: 'proportional set size of the process beside the guest’s RAM, 1 vCPU and 128 MiB with one disk and two cards, booted to a shell; QEMU’s is that of the same guest in the same run',
  figures: [
    {
      what: 'memory beside the guest',
      unit: 'MiB',
      value: besideKiB.native / 1024,
      goal: 6,
      note: `QEMU: ${quantity(besideKiB.qemu / 1024, 'MiB')}`,
    },
    {what: 'program', unit: 'MiB', value: programBytes / 1024 ** 2, goal: 5},
  ],
});

/** How many times the native engine is as fast as QEMU. */
const factor = ({native, qemu}: Pair): number => qemu / native;

/** Only ratios: the seconds are the emulation's. */
export const speedSection = ({work}: Speeds): Section => ({
  title: `Native engine beside QEMU, ${EMULATED}`,
  how: 'QEMU’s time ÷ the native engine’s for the same work by turns, with KVM on a node that is emulated itself: more than 1 means that the native engine is faster there, and says nothing about hardware; the disk is a file in the node’s memory, the card a tap',
  figures: Object.entries(work).map(
    ([what, pairs]): Figure => ({what, unit: '', value: median(pairs.map(factor)), note: range(pairs.map(factor), '')}),
  ),
});
