/** Instances for tests: a plain one, and what to change. */
import type {InstanceSpecInput, InstanceStatus, ObjectMeta, VirtualMachineInstance} from '@wherry/api';

export interface InstanceOverrides {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<InstanceSpecInput>;
  readonly domain?: Partial<InstanceSpecInput['domain']>;
  readonly status?: InstanceStatus;
}

export const UID = '7a5c2e5e-4c3f-4f0c-9d0e-6a1f6a7b8c9d';

/** A guest with 256 MiB and one masquerade interface, as the API server would return it. */
export const instance = ({metadata, spec, domain, status}: InstanceOverrides = {}): VirtualMachineInstance =>
  ({
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {name: 'guest', namespace: 'default', uid: UID, resourceVersion: '100', ...metadata},
    spec: {
      domain: {memory: {guest: '256Mi'}, devices: {}, ...domain},
      terminationGracePeriodSeconds: 30,
      ...spec,
    },
    ...(status === undefined ? {} : {status}),
  }) as VirtualMachineInstance;
