/** What a run leaves on its node, as one who is logged in there sees it. */
import {expect} from '@jest/globals';
import {eventually} from '../support/eventually.ts';
import type {Cluster, Pod} from './cluster.ts';

/** A run that is over. */
export interface Trail {
  readonly name: string;
  readonly pod: Pod;
  readonly node: string;
}

/** Taps in all network namespaces of a node. */
export const tapsOn = async (cluster: Cluster, node: string): Promise<number> => {
  const links = 'for n in $(ip netns list | cut -d" " -f1); do ip -n $n -o link show 2>/dev/null; done; ip -o link';
  const out = await cluster.onNode(node, 'sh', '-c', links);
  return out.split('\n').filter(line => /: tap/.test(line)).length;
};

/** No process, control group, folder or mount of the pod is left on its node. */
export const podLeftNode = async (cluster: Cluster, node: string, uid: string): Promise<void> => {
  const slice = uid.replaceAll('-', '_');
  const traces = [
    `ls -d /var/lib/kubelet/pods/${uid}`,
    `grep ${uid} /proc/mounts`,
    // A control group names its pod with underscores or dashes, by the driver.
    `grep -lE '${uid}|${slice}' /proc/[0-9]*/cgroup`,
    `find /sys/fs/cgroup -maxdepth 6 -type d \\( -name '*${uid}*' -o -name '*${slice}*' \\)`,
  ];
  await eventually(async () => {
    const left = await cluster.onNode(node, 'sh', '-c', `{ ${traces.join('; ')}; } 2>/dev/null; true`);
    expect(left.trim()).toBe('');
  });
};

/** Nothing of the machine's last run is left anywhere. */
export const nothingLeft = async (cluster: Cluster, {name, pod, node}: Trail): Promise<void> => {
  await cluster.podGone(name);
  await podLeftNode(cluster, node, pod.metadata.uid);
  expect(await cluster.engines(node, name)).toEqual([]);
};
