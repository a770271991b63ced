import {expect, test} from '@jest/globals';
import {rowsOf} from '../figure.ts';
import {EMPTY, EMULATED, sizeSection, speedSection, startSection} from './sections.ts';

const pair = (native: number, qemu: number) => ({native, qemu});
const speeds = {
  besideKiB: pair(2048, 40 * 1024),
  work: {reads: [pair(1, 2), pair(2, 1), pair(1, 1.5)], streams: [pair(2, 1)]},
};

test('CPU until the first instruction stands beside its goal, and what a kernel adds is told where it is missed', () => {
  const section = startSection({start: {[EMPTY]: [3, 9, 4], vmlinux: [84, 90, 100]}, creation: [1, 0.5, 2]}, 'here');
  expect(section.title).toContain('here');
  expect(rowsOf(section)).toEqual([
    [`process start → first guest instruction, ${EMPTY}`, '4 ms', '≤ 8 ms', 'met', '3 ms to 9 ms, n = 3'],
    [
      'process start → first guest instruction, vmlinux',
      '90 ms',
      '≤ 8 ms',
      'missed',
      '84 ms to 100 ms, n = 3; 86 ms are this kernel’s way into memory: without, it is 4 ms',
    ],
    ['KVM makes a machine with one vCPU', '1 ms', '', '', '0.5 ms to 2 ms, n = 3'],
  ]);
});

test('an engine that misses the goal with nothing to load blames no kernel', () => {
  const rows = rowsOf(startSection({start: {[EMPTY]: [20]}, creation: [1]}, EMULATED));
  expect(rows[0]?.slice(3)).toEqual(['missed', '20 ms to 20 ms, n = 1']);
});

test('memory and size have their goals', () => {
  expect(rowsOf(sizeSection(speeds, 3 * 1024 ** 2))).toEqual([
    ['memory beside the guest', '2 MiB', '≤ 6 MiB', 'met', 'QEMU: 40 MiB'],
    ['program', '3 MiB', '≤ 5 MiB', 'met', ''],
  ]);
});

test('speed under emulation is a ratio to QEMU and no other number', () => {
  const section = speedSection(speeds);
  expect(rowsOf(section)).toEqual([
    ['reads', '1.5', '', '', '0.5 to 2, n = 3'],
    ['streams', '0.5', '', '', '0.5 to 0.5, n = 1'],
  ]);
  expect(`${section.title} ${section.how}`).toContain('emulated');
});
