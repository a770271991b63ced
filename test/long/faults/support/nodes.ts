/** What breaks on a node, and how. All of it from outside of the cluster: with its API server down as well. */
import {eventually} from '../../../support/eventually.ts';
import {run} from '../../../support/kubectl.ts';

/** Runs a command in the container that is the node. */
export const onNode = (node: string, ...command: string[]): Promise<string> =>
  run('docker', ['exec', node, ...command]);

/** Process id, on its node, of the container of this name that belongs to the pod. */
export const containerPid = async (node: string, container: string, podUid: string): Promise<number> => {
  const id = await containerId(node, container, podUid);
  const pid = await onNode(node, 'crictl', 'inspect', '--output', 'go-template', '--template', '{{.info.pid}}', id);
  return Number(pid.trim());
};

/** Id of the running container of this name that belongs to the pod. */
export const containerId = async (node: string, container: string, podUid: string): Promise<string> => {
  const label = `io.kubernetes.pod.uid=${podUid}`;
  const ids = await onNode(node, 'crictl', 'ps', '--quiet', '--name', `^${container}$`, '--label', label);
  const [id = ''] = ids.split('\n');
  if (id === '') throw new Error(`no container ${container} of pod ${podUid} runs on ${node}`);
  return id;
};

/** The engines of a machine (`<namespace>_<name>`) on a node. */
export const enginePids = async (node: string, machine: string): Promise<readonly number[]> => {
  const out = await onNode(
    node,
    'sh',
    '-c',
    `pgrep -f -- '^[^ ]*qemu-system-x86_64 .*-name guest=${machine},' || true`,
  );
  return out
    .split('\n')
    .filter(line => line !== '')
    .map(Number);
};

/** Sets the memory limit of the container that a process runs in to so many bytes above what it uses now. */
export const limitMemory = (node: string, pid: number, bytes: number): Promise<string> =>
  onNode(
    node,
    'sh',
    '-c',
    `if [ -e /sys/fs/cgroup/memory ]; then
      group=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/${pid}/cgroup)
      echo $(($(cat $group/memory.usage_in_bytes) + ${bytes})) >$group/memory.limit_in_bytes
    else
      group=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/${pid}/cgroup)
      echo $(($(cat $group/memory.current) + ${bytes})) >$group/memory.max
    fi`,
  );

/**
 * The kubelet thinks that the node's own filesystem is too full, or no more. What it would do about it first is left out:
 * images that it removes could not be had again.
 */
export const pressDisk = (node: string, full: boolean): Promise<string> =>
  onNode(
    node,
    'sh',
    '-c',
    `for image in $(ctr -n k8s.io images list -q 2>/dev/null); do
      ctr -n k8s.io images label "$image" io.cri-containerd.pinned=pinned >/dev/null 2>&1
    done
    sed -i 's/nodefs.available: .*/nodefs.available: ${full ? 99 : 0}%/
      s/evictionPressureTransitionPeriod: .*/evictionPressureTransitionPeriod: 5s/' /var/lib/kubelet/config.yaml
    systemctl restart kubelet`,
  );

const manifest = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const hidden = '/etc/kubernetes/kube-apiserver.yaml';

/** The control plane's kubelet ends the API server when its manifest is gone. Resolves when nobody answers any more. */
export const stopApiServer = async (controlPlane: string): Promise<void> => {
  await onNode(controlPlane, 'mv', manifest, hidden);
  await eventually(async () => {
    const left = await onNode(controlPlane, 'sh', '-c', 'pgrep -x kube-apiserver || true');
    if (left.trim() !== '') throw new Error('kube-apiserver still runs');
  });
};

/** Resolves when it answers again. Safe to call where it was never stopped. */
export const startApiServer = async (controlPlane: string): Promise<void> => {
  await onNode(controlPlane, 'sh', '-c', `[ ! -e ${hidden} ] || mv ${hidden} ${manifest}`);
  await eventually(() => onNode(controlPlane, 'curl', '-skf', 'https://127.0.0.1:6443/readyz'), {timeoutMs: 120_000});
};
