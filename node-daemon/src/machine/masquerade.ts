/** Addresses of the `masquerade` binding: the same in every pod, for no pod sees those of another. */

/** What the guest's own network is where its spec names none. */
const DEFAULT_NETWORK = '10.0.2.0/24';

export interface MasqueradeAddresses {
  /** The tap's own address: the guest's router and DHCP server. */
  readonly gateway: string;
  readonly guest: string;
  readonly prefixLength: number;
}

/** The first address of the network is the router's, the second the guest's, as in KubeVirt. */
export const masqueradeAddresses = (cidr: string | undefined): MasqueradeAddresses => {
  const [address = '', prefix] = (cidr || DEFAULT_NETWORK).split('/');
  const prefixLength = Number(prefix);
  const base = networkOf(address, prefixLength);
  return {gateway: textOf(base + 1), guest: textOf(base + 2), prefixLength};
};

/** Whether an IPv4 address lies in the guest's own network, where the guest could not reach it through its router. */
export const isInside = ({gateway, prefixLength}: MasqueradeAddresses, address: string): boolean =>
  networkOf(address, prefixLength) === networkOf(gateway, prefixLength);

const networkOf = (address: string, prefixLength: number): number => {
  const size = 2 ** (32 - prefixLength);
  return Math.floor(numberOf(address) / size) * size;
};

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

const textOf = (address: number): string =>
  [24, 16, 8, 0].map(shift => Math.floor(address / 2 ** shift) % 256).join('.');
