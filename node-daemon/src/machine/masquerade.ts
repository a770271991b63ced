/** Addresses of the `masquerade` binding: the same in every pod, for no pod sees those of another. */
export const masquerade = {
  /** The tap's own address: the guest's router and DHCP server. */
  gateway: '10.0.2.1',
  guest: '10.0.2.2',
  prefixLength: 24,
} as const;
