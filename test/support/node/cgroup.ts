/** What a pod is charged for memory, in bytes, by either version of the kernel's accounting. */
export interface MemoryCharge {
  /** All that counts against a limit. */
  readonly total: number;
  /** Heaps, stacks, TCG's buffer. */
  readonly anonymous: number;
  /** Memory of files that exist in memory alone: of a guest, and of tmpfs. */
  readonly shared: number;
  /** Page tables, stacks of threads and what else the kernel keeps for the pod. */
  readonly kernel: number;
  /** Pages of files on a disk. They can be dropped, and who touched them first pays for them. */
  readonly files: number;
}

/** @param stat memory.stat of the pod's cgroup of version 1. `usage` and `kernel` are its *usage_in_bytes files. */
export const chargeV1 = (stat: string, usage: number, kernel: number): MemoryCharge => {
  const value = valuesOf(stat);
  const shared = value('total_shmem');
  return {
    total: usage,
    anonymous: value('total_rss'),
    shared,
    kernel,
    files: value('total_cache') - shared,
  };
};

/** @param stat memory.stat of the pod's cgroup of version 2. `current` is memory.current. */
export const chargeV2 = (stat: string, current: number): MemoryCharge => {
  const value = valuesOf(stat);
  const shared = value('shmem');
  return {total: current, anonymous: value('anon'), shared, kernel: value('kernel'), files: value('file') - shared};
};

const valuesOf = (stat: string): ((name: string) => number) => {
  const values = new Map(stat.split('\n').map(line => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]));
  return name => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`memory.stat says nothing of ${name}`);
    return value;
  };
};
