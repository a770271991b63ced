import type {Key, Lease} from '../objects.ts';

/** What was last seen of a lease, and when by the local monotonic clock, ms. */
export interface Observed {
  readonly holder: string;
  readonly durationMs: number;
  readonly version: string;
  readonly at: number;
}

/** Remembers a lease; the time counts from when its record last changed, not from when it was last read. */
export const observe = (before: Observed | undefined, lease: Lease, at: number): Observed => {
  const version = lease.metadata.resourceVersion ?? '';
  if (before?.version === version) return before;
  return {
    holder: lease.spec?.holderIdentity ?? '',
    durationMs: (lease.spec?.leaseDurationSeconds ?? 0) * 1000,
    version,
    at,
  };
};

export const isHeld = ({holder, durationMs, at}: Observed, now: number): boolean =>
  holder !== '' && now - at < durationMs;

export interface Claim {
  readonly identity: string;
  readonly durationMs: number;
  readonly now: Date;
}

/** MicroTime of the API: six digits after the second. */
export const microTime = (date: Date): string => date.toISOString().replace('Z', '000Z');

/** The lease as held by the claimer: renewed, or taken over. */
export const taken = (key: Required<Key>, current: Lease | undefined, {identity, durationMs, now}: Claim): Lease => {
  const {spec} = current ?? {};
  const again = spec?.holderIdentity === identity;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: current?.metadata ?? {namespace: key.namespace, name: key.name},
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      acquireTime: again && spec.acquireTime !== undefined ? spec.acquireTime : microTime(now),
      renewTime: microTime(now),
      leaseTransitions: (spec?.leaseTransitions ?? 0) + (again || current === undefined ? 0 : 1),
    },
  };
};

/** Nobody's, so that the next to look takes it at once. A duration of 0 is not allowed. */
export const released = (current: Lease, now: Date): Lease => ({
  ...current,
  spec: {...current.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now)},
});
