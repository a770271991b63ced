/** Which threads of the node serve which disk. */
import {type Domain, vcpuCount} from '@wherry/api';

interface ServedDisk {
  /** Only these can be served beside the thread that serves everything. */
  readonly virtio: boolean;
  readonly dedicated: boolean;
}

/**
 * By disk, the numbers of the threads that serve it, from 1 on; none where it is the thread that serves everything. The
 * rules are KubeVirt's: a disk that asks for it has a thread of its own, the others share a pool, in turn.
 */
export const ioThreadsOf = (
  domain: Pick<Domain, 'cpu' | 'resources' | 'ioThreads' | 'ioThreadsPolicy'>,
  disks: readonly ServedDisk[],
): readonly (readonly number[])[] => {
  const {ioThreadsPolicy: policy = '', ioThreads} = domain;
  if (policy === 'supplementalPool') {
    const pool = numbers(1, ioThreads?.supplementalPoolThreadCount ?? 1);
    return disks.map(({virtio}) => (virtio ? pool : []));
  }
  const served = disks.filter(({virtio}) => virtio);
  const dedicated = served.filter(disk => disk.dedicated).length;
  if (policy === '' && dedicated === 0) return disks.map(() => []);
  const most = policy === 'auto' ? 2 * vcpuCount(domain) : 1;
  // A disk that has no thread of its own is never left without one.
  const shared = Math.min(served.length - dedicated, Math.max(1, most - dedicated));
  const turns = {shared: 0, dedicated: 0};
  return disks.map(disk => {
    if (!disk.virtio) return [];
    return [disk.dedicated ? shared + ++turns.dedicated : (turns.shared++ % shared) + 1];
  });
};

const numbers = (from: number, count: number): readonly number[] => Array.from({length: count}, (_, at) => from + at);
