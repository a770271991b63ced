export interface KindConfigOptions {
  /** Node names follow from it. */
  name: string;
  workers: number;
  /** The cgroup hierarchy that containers on this machine live in. */
  cgroupVersion: 1 | 2;
}

/** The configuration of `kind create cluster`, as JSON, which YAML readers read. */
export function kindConfig({name, workers, cgroupVersion}: KindConfigOptions): string {
  return JSON.stringify({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    name,
    nodes: [{role: 'control-plane'}, ...Array.from({length: workers}, () => ({role: 'worker'}))],
    // Since 1.35 a kubelet does not start on cgroup v1 unless it is told to.
    kubeadmConfigPatches: cgroupVersion === 1 ? [JSON.stringify({...kubelet, failCgroupV1: false})] : [],
  });
}

const kubelet = {apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration'};
