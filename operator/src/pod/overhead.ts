import type {Accelerator} from '@wherry/api';

/**
 * What a VM pod needs beside the guest's own memory, in bytes. The scheduler reserves guest memory + this; the figures
 * are measured against the pod's cgroup after a guest has touched all of its memory.
 */
export interface Machine {
  readonly engine: 'qemu';
  readonly accelerator: Accelerator;
  readonly vcpus: number;
  readonly guestBytes: number;
  /** It has a graphics card. */
  readonly graphics: boolean;
  /** It starts by UEFI. */
  readonly efi: boolean;
}

const MiB = 1024 * 1024;

/** The launcher: PID 1 of the pod. */
const launcher = 3 * MiB;
/**
 * QEMU's own memory without the guest's. Measured with TCG, the buffer apart: 27 MiB of heap for a tiny guest and 36 MiB
 * for a busy Debian with two vCPUs, and 25 MiB of code and libraries.
 */
const qemu = 60 * MiB;
/** Per vCPU: a thread's stack, and KVM's or TCG's state for it. */
const perVcpu = 1 * MiB;
/** Page tables, host's and KVM's: one 8-byte entry for each 4 KiB page of the guest. */
const pageTableShare = 1 / 512;
/** TCG's translation buffer, which fills up; the engine always runs with `tb-size=64`. */
const tcgBuffer = 64 * MiB;
/**
 * A graphics card. Measured: 2 MiB more at a text console, 9 MiB more while somebody looks at it. A guest may fill the
 * card's 16 MiB, and the VNC server keeps a copy of as much.
 */
const graphicsCard = 32 * MiB;

/** UEFI and its variables: QEMU holds the two files in memory. */
const efiFlash = 4 * MiB;

/** Whole MiB, rounded up. */
export const overheadBytes = (machine: Machine): number => {
  const common = launcher + qemu + machine.vcpus * perVcpu + machine.guestBytes * pageTableShare;
  const emulation = machine.accelerator === 'tcg' ? tcgBuffer : 0;
  const graphics = machine.graphics ? graphicsCard : 0;
  const efi = machine.efi ? efiFlash : 0;
  return Math.ceil((common + emulation + graphics + efi) / MiB) * MiB;
};
