import type {Accelerator} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {type Machine, overheadBytes} from './overhead.ts';

const MiB = 1024 * 1024;
const machine = (overrides: Partial<Machine> = {}): Machine => ({
  engine: 'qemu',
  accelerator: 'kvm',
  vcpus: 1,
  guestBytes: 256 * MiB,
  graphics: false,
  efi: false,
  ...overrides,
});

test('it is whole mebibytes, rounded up', () => {
  expect(overheadBytes(machine()) % MiB).toBe(0);
  expect(overheadBytes(machine({guestBytes: 100 * MiB}))).toBe(overheadBytes(machine({guestBytes: 1 * MiB})));
});

test('a small guest under KVM costs about 64 MiB, far below KubeVirt’s 288', () => {
  expect(overheadBytes(machine()) / MiB).toBeLessThan(70);
});

test.each<[Accelerator, number]>([
  ['tcg', 2],
  ['kvm', 4],
])(
  'a large guest pays for what the kernel keeps of each of its pages, with %s %d MiB for a GiB',
  (accelerator, share) => {
    const small = overheadBytes(machine({accelerator, guestBytes: 4 * 1024 * MiB}));
    const large = overheadBytes(machine({accelerator, guestBytes: 36 * 1024 * MiB}));
    expect((large - small) / MiB).toBe(32 * share);
  },
);

test('each vCPU adds its share', () => {
  expect(overheadBytes(machine({vcpus: 9})) - overheadBytes(machine({vcpus: 1}))).toBe(8 * MiB);
});

test('emulation reserves the translation buffer as well', () => {
  const tiny = {guestBytes: 1 * MiB};
  expect(overheadBytes(machine({...tiny, accelerator: 'tcg'})) - overheadBytes(machine(tiny))).toBe(64 * MiB);
});

test('a graphics card costs what it can be filled with, and a copy for who looks at it', () => {
  expect(overheadBytes(machine({graphics: true})) - overheadBytes(machine())).toBe(32 * MiB);
});

const native = (overrides: Partial<Machine> = {}) => overheadBytes(machine({engine: 'native', ...overrides}));

test('the native engine costs a fraction of QEMU, the same for each vCPU, and its memfd', () => {
  expect(native({guestBytes: 128 * MiB}) / MiB).toBe(10);
  expect(native({vcpus: 9}) - native()).toBe(8 * MiB);
  const sizes = [{guestBytes: 4 * 1024 * MiB}, {guestBytes: 36 * 1024 * MiB}] as const;
  expect(native(sizes[1]) - native(sizes[0])).toBe(32 * 6.25 * MiB);
});

test('UEFI costs the flash that it lies in', () => {
  expect(overheadBytes(machine({efi: true})) - overheadBytes(machine())).toBe(4 * MiB);
});
