import type {Accelerator, EngineName} from '@wherry/api';

/**
 * What a VM pod needs beside the guest's own memory, in bytes. The scheduler reserves guest memory + this; the figures
 * are measured against the pod's cgroup after a guest has touched all of its memory.
 */
export interface Machine {
  readonly engine: EngineName;
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
 * QEMU's own memory without the guest's. Measured with TCG, the buffer apart: 22 to 27 MiB of heap and stacks for an idle
 * guest of any size and number of vCPUs and 36 MiB for a busy Debian with two, 25 MiB of code and libraries, and 2 MiB
 * that the kernel keeps.
 */
const qemu = 60 * MiB;
/** Per vCPU: a thread's stack, and KVM's or TCG's state for it. */
const perVcpu = 1 * MiB;
/** What the kernel keeps of each 4 KiB page of the guest: an entry of the engine's page tables. Huge pages keep it in reserve. */
const perPage = 8;
/** And an entry of the page tables that KVM makes. */
const perPageOfKvm = 8;
/** And, where the memory is a memfd, as the native engine's is, a place in its index: a node of 576 bytes has 64. */
const perPageOfMemfd = 9;
const pageBytes = 4096;
/** TCG's translation buffer, which fills up; the engine always runs with `tb-size=64`. */
const tcgBuffer = 64 * MiB;
/**
 * A graphics card. Measured: 2 MiB more at a text console, 9 MiB more while somebody looks at it. A guest may fill the
 * card's 16 MiB, and the VNC server keeps a copy of as much.
 */
const graphicsCard = 32 * MiB;

/** UEFI and its variables: QEMU holds the two files in memory. */
const efiFlash = 4 * MiB;

/**
 * The native engine's own memory without the guest's. Measured with KVM, launcher, page tables and all: 5.9 MiB beside a guest
 * with 128 MiB and one vCPU, 8.1 MiB beside one with 512 MiB and two; of that 2 MiB are the engine's. The rest is for one that is busy.
 */
const native = 5 * MiB;

/** Whole MiB, rounded up. */
export const overheadBytes = (machine: Machine): number => {
  const emulated = machine.accelerator === 'tcg';
  const isNative = machine.engine === 'native';
  const engine = isNative ? native : qemu;
  const ofPage = perPage + (emulated ? 0 : perPageOfKvm) + (isNative ? perPageOfMemfd : 0);
  const pages = Math.ceil(machine.guestBytes / pageBytes) * ofPage;
  const common = launcher + engine + machine.vcpus * perVcpu + pages;
  const emulation = emulated ? tcgBuffer : 0;
  const graphics = machine.graphics ? graphicsCard : 0;
  const efi = machine.efi ? efiFlash : 0;
  return Math.ceil((common + emulation + graphics + efi) / MiB) * MiB;
};
