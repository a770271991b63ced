/** What a pod needs beside its guest's memory, by the kernel's account, when the guest has used all that it has. */
import {mkdir, readFile, rmdir, writeFile} from 'node:fs/promises';
import type {Log} from '@wherry/kube';
import {chargeV2} from '../support/node/cgroup.ts';
import {mappingsIn, qemuUse} from '../support/node/smaps.ts';
import {type Kit, Stage} from './stage.ts';
import type {Subject} from './story.ts';

export interface MemoryUse {
  readonly subject: Subject;
  readonly guestMiB: number;
  readonly vcpus: number;
  /** In MiB, all of these: how much of the guest's memory has been touched. */
  readonly touched: number;
  /** Proportional set size of the engine without the guest's memory. */
  readonly engine: number;
  /** What the kernel keeps for the pod: page tables, KVM's too, and what else. */
  readonly kernel: number;
  /** Of that, the page tables that KVM makes. */
  readonly kvmPageTables: number;
  /** Heaps, stacks and files in memory of all processes of the pod. */
  readonly own: number;
  /** Code and libraries, as if the pod were alone on its node. */
  readonly code: number;
  /** What the pod is charged with beside its guest's memory: the three before. */
  readonly beside: number;
}

/** Most of what is free: with nothing left the guest would kill its own processes. */
const fill = [
  'mount -t tmpfs -o size=95% touched /mnt',
  `dd if=/dev/zero of=/mnt/file bs=1M count=$(awk '/MemFree/ {print int($2 * 0.8 / 1024)}' /proc/meminfo) 2>/dev/null`,
].join(' && ');

const CGROUPS = '/sys/fs/cgroup';
const MiB = 1024 ** 2;

/** Two vCPUs, for each needs its share; to fill a guest that is larger takes minutes on a node that is emulated. */
const [guestMiB, vcpus] = [128, 2];

export const measureMemory = async (kit: Kit, subject: Subject, log: Log): Promise<MemoryUse> => {
  await writeFile(`${CGROUPS}/cgroup.subtree_control`, '+memory');
  await using _ = await smallPages();
  await using stage = await Stage.start(subject, kit, log);
  const cgroup = `${CGROUPS}/memory`;
  await mkdir(cgroup);
  const domain = {cpu: {cores: vcpus}, memory: {guest: `${guestMiB}Mi`}};
  const guest = await stage.guest('memory', {cgroup, guest: {domain}});
  try {
    await guest.running();
    await guest.login();
    // The file stays: memory that the guest frees is given back to the host.
    await guest.shell(fill);
    const smaps = mappingsIn(await readFile(`/proc/${await guest.enginePid()}/smaps`, 'utf8'));
    const mappings = smaps.filter(({name}) => !isLoaded(name));
    const [use, pss] = [qemuUse(mappings, 'resident'), qemuUse(mappings, 'proportional')];
    const stat = await readFile(`${cgroup}/memory.stat`, 'utf8');
    const charge = chargeV2(stat, Number(await readFile(`${cgroup}/memory.current`, 'utf8')));
    const own = charge.anonymous + charge.shared - use['guest memory'];
    const code = use['code and libraries'];
    return {
      subject: stage.subject,
      guestMiB,
      vcpus,
      touched: mib(use['guest memory']),
      engine: mib(pss['own memory'] + pss['code and libraries']),
      kernel: mib(charge.kernel),
      kvmPageTables: mib(Number(/^sec_pagetables (\d+)$/m.exec(stat)?.[1] ?? 0)),
      own: mib(own),
      code: mib(code),
      beside: mib(own + code + charge.kernel),
    };
  } finally {
    await stage.remove(guest);
    await rmdir(cgroup);
  }
};

/** Until it is disposed of, shared memory has small pages: what a node gives that is not told otherwise, and what costs most. */
const smallPages = async (): Promise<AsyncDisposable> => {
  const setting = '/sys/kernel/mm/transparent_hugepage/shmem_enabled';
  const before = /\[(\w+)\]/.exec(await readFile(setting, 'utf8'))?.[1] ?? 'never';
  await writeFile(setting, 'never');
  return {[Symbol.asyncDispose]: () => writeFile(setting, before)};
};

/** The kernel drops these when memory is needed. */
const isLoaded = (name: string): boolean => /\/(vmlinux|initrd)$/.test(name);

const mib = (bytes: number): number => Math.round((bytes / MiB) * 10) / 10;
