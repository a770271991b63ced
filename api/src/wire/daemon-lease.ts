/**
 * The Lease by which the node-daemon of each node says that it lives: in the namespace of the installation, and named after
 * the node. Its own admission policy in the chart holds a daemon to this name.
 */
export const DaemonLease = {
  /** On each of these Leases, and on no other of the namespace. */
  label: {key: 'app.kubernetes.io/component', value: 'node-daemon'},
  /**
   * How long a Lease holds that is not renewed, in s: as a kubelet's. Long enough for a daemon to be replaced by its next
   * version, short enough that a lost node is noticed with the kubelet's own silence (40 to 50 s).
   */
  durationSeconds: 40,
  /** A Lease is renewed so often while it holds: three renewals in a row may be lost. */
  renewals: 4,
} as const;

/** A prefix, so that no node, however it is called, takes the Lease that the operators elect their leader by. */
const PREFIX = 'node-daemon-';

export const daemonLeaseOf = (node: string): string => `${PREFIX}${node}`;

/** The node that a Lease speaks of; undefined for another Lease. */
export const nodeOfDaemonLease = (lease: string): string | undefined =>
  lease.startsWith(PREFIX) ? lease.slice(PREFIX.length) : undefined;
