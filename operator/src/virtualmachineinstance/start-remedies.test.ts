import {expect, test} from '@jest/globals';
import {startFailureText} from './start-remedies.ts';

/** What QEMU 10.0, the launcher and the native engine say, taken from them. */
const table: [words: string, says: string][] = [
  [
    "qemu: could not open kernel file '/run/wherry-kernel/boot/vmlinux': No such file or directory",
    "qemu: could not open kernel file '/boot/vmlinux': No such file or directory: correct spec.domain.firmware.kernelBoot.container.kernelPath, or the image",
  ],
  [
    'qemu: invalid kernel header',
    'qemu: invalid kernel header: correct spec.domain.firmware.kernelBoot.container.kernelPath, or the image',
  ],
  [
    'qemu: error reading initrd /run/wherry-kernel/boot/initrd: Failed to open file',
    'qemu: error reading initrd /boot/initrd: Failed to open file: correct spec.domain.firmware.kernelBoot.container.initrdPath, or the image',
  ],
  [
    "qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory",
    "qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory: the node has not as much memory left as the guest is to have: lower spec.domain.memory.guest, or free memory there",
  ],
  [
    'the argument "…": opening /run/wherry-kernel/boot/vmlinux: No such file or directory (os error 2)',
    'the argument "…": opening /boot/vmlinux: No such file or directory (os error 2): correct kernelPath or initrdPath in spec.domain.firmware.kernelBoot.container, or the image',
  ],
  [
    'wherry-vmm: the kernel is neither an ELF file nor a bzImage of boot protocol 2.08 or later',
    'wherry-vmm: the kernel is neither an ELF file nor a bzImage of boot protocol 2.08 or later: correct spec.domain.firmware.kernelBoot.container.kernelPath, or the image',
  ],
  [
    '/run/wherry-volumes/data/disk.img cannot be locked, another machine may use it: Resource temporarily unavailable',
    '/run/wherry-volumes/data/disk.img cannot be locked, another machine may use it: Resource temporarily unavailable: another process uses this disk: stop the guest that has it',
  ],
  ['qemu-system-x86_64: something new', 'qemu-system-x86_64: something new'],
];

test.each(table)('%s', (words, says) => {
  expect(startFailureText(words)).toBe(says);
});
