import type {Host, LinkInfo} from '@wherry/native';

/** The pod's own interface, as every CNI plugin names it. */
export const POD_INTERFACE = 'eth0';

/** What the guest gets from its pod. */
export interface PodNetwork {
  /** IPv4, without prefix lengths; the first is the pod's. */
  readonly addresses: readonly string[];
  /** Bytes. */
  readonly mtu: number;
}

export const podNetworkOf = ({addresses, mtu}: Pick<LinkInfo, 'addresses' | 'mtu'>): PodNetwork => ({
  mtu,
  addresses: addresses
    .filter(one => !one.includes(':') && !one.startsWith('169.254.'))
    .map(one => one.replace(/\/.*/, '')),
});

/** @throws NativeError NotFound where the pod has no interface, ProcessGone */
export const readPodNetwork = async (
  host: Host,
  launcher: {readonly pid: number; readonly pidfd: number},
): Promise<PodNetwork> => {
  const netns = host.netnsOf(launcher);
  try {
    return podNetworkOf(await host.linkInfo(netns, POD_INTERFACE));
  } finally {
    host.close(netns);
  }
};
