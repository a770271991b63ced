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

/** The network namespace of a pod that runs, by its name on the node, and how many taps are in it. */
export const networkOf = async (cluster: Cluster, {node, pod}: Trail): Promise<{name: string; taps: number}> => {
  const find = `for n in $(ip netns list | cut -d" " -f1); do
    if ip -n $n -o -4 address | grep -qF "inet $1/"; then echo $n $(ip -n $n -o link | grep -c ": tap"); fi
  done`;
  const out = await cluster.onNode(node, 'sh', '-c', find, 'sh', pod.status.podIP ?? 'none');
  const [name = '', taps, ...more] = out.trim().split(/\s/);
  expect([name, more]).toEqual([expect.stringMatching(/./), []]);
  return {name, taps: Number(taps)};
};

/** The network namespace is gone with all that was in it, and no tap has got into the node's own. */
export const networkGone = async (cluster: Cluster, node: string, name: string): Promise<void> => {
  const left = await cluster.onNode(
    node,
    'sh',
    '-c',
    `ip netns list | grep -w "$1"; ip -o link | grep ': tap'; true`,
    'sh',
    name,
  );
  expect(left).toBe('');
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
