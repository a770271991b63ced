import {readdir, readFile} from 'node:fs/promises';

/** Read at once: the files are made by the kernel, but each costs a turn of the thread pool. */
const BATCH = 64;

/** Whether the process runs in a cgroup of this pod; systemd's slices have underscores where a uid has dashes. */
export const isOfPod = (cgroup: string, podUid: string): boolean =>
  cgroup.includes(`pod${podUid}`) || cgroup.includes(`pod${podUid.replaceAll('-', '_')}`);

/**
 * Whether any process of this node belongs to the pod, its sandbox included, by the kernel's own account. Needs the PID
 * namespace of the host. It looks at every process of the node: for rare questions only.
 * @param proc where procfs is mounted. Defaults to /proc.
 */
export const podHasProcesses = async (podUid: string, proc = '/proc'): Promise<boolean> => {
  const pids = (await readdir(proc)).filter(name => /^\d+$/.test(name));
  for (let at = 0; at < pids.length; at += BATCH) {
    const batch = pids.slice(at, at + BATCH);
    const found = await Promise.all(
      // A process that is gone by now is none.
      batch.map(pid => readFile(`${proc}/${pid}/cgroup`, 'utf8').catch(() => '')),
    );
    if (found.some(cgroup => isOfPod(cgroup, podUid))) return true;
  }
  return false;
};
