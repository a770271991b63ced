import {daemonLeaseOf} from '@wherry/api';
import type {Lease} from '@wherry/kube';

export interface LeaseOverrides {
  readonly renewTime?: string;
  readonly holder?: string;
  readonly uid?: string;
  readonly seconds?: number | undefined;
}

/** The Lease of a node's daemon, as the operator keeps it. */
export const aLease = (node: string, overrides: LeaseOverrides = {}): Lease => {
  const {renewTime = '2026-01-01T00:00:00.000000Z', holder = 'pod-1', uid = 'lease-uid'} = overrides;
  const seconds = 'seconds' in overrides ? overrides.seconds : 40;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {namespace: 'wherry', name: daemonLeaseOf(node), uid},
    spec: {holderIdentity: holder, renewTime, ...(seconds === undefined ? {} : {leaseDurationSeconds: seconds})},
  };
};
