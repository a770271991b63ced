/** Objects for tests, as the API server would store them. Every fixture takes overrides. */
import {
  API_VERSION,
  type Config,
  Finalizer,
  type InstanceSpec,
  type InstanceStatus,
  Label,
  LAUNCHER_APP,
  type MachineSpec,
  type MachineStatus,
  podNameOf,
} from '@wherry/api';
import type {PersistentVolumeClaim, Pod} from '@wherry/kube';
import type {Instance, Machine, StoredMeta} from '../objects.ts';
import type {NodeView} from '../pod/node-fit.ts';
import type {Runner} from '../pod/runner.ts';

export const config: Config = {
  launcherImage: 'wherry/launcher:test',
  imagePullPolicy: 'IfNotPresent',
  logLevel: 'info',
  allowEmulation: true,
  cpuAllocationRatio: 10,
  memoryOvercommit: 100,
  evictionStrategy: 'None',
  disableSerialConsoleLog: false,
};

/** What guests run with, for who does not care why. */
export const runners: Readonly<Record<'kvm' | 'tcg' | 'native', Runner>> = {
  kvm: {accelerator: 'kvm', engine: 'qemu', reason: 'a test'},
  tcg: {accelerator: 'tcg', engine: 'qemu', reason: 'a test'},
  native: {accelerator: 'kvm', engine: 'native', reason: 'a test'},
};

export const anInstanceSpec = (overrides: Partial<InstanceSpec> = {}): InstanceSpec => ({
  domain: {memory: {guest: '256Mi'}, devices: {}},
  terminationGracePeriodSeconds: 30,
  ...overrides,
});

const meta = (name: string, uid: string, overrides: Partial<StoredMeta> = {}): StoredMeta => ({
  name,
  namespace: 'default',
  uid,
  resourceVersion: '7',
  generation: 1,
  ...overrides,
});

export interface MachineOverrides {
  readonly metadata?: Partial<StoredMeta>;
  readonly spec?: Partial<MachineSpec>;
  readonly template?: Partial<InstanceSpec>;
  readonly status?: MachineStatus;
}

export const aMachine = ({metadata, spec, template, status}: MachineOverrides = {}): Machine => ({
  apiVersion: API_VERSION,
  kind: 'VirtualMachine',
  metadata: meta('web', 'vm-uid', {finalizers: [Finalizer.virtualMachine], ...metadata}),
  spec: {
    ...(spec?.running === undefined ? {runStrategy: 'Always' as const} : {}),
    template: {spec: anInstanceSpec(template)},
    ...spec,
  },
  ...(status === undefined ? {} : {status}),
});

export interface InstanceOverrides {
  readonly metadata?: Partial<StoredMeta>;
  readonly spec?: Partial<InstanceSpec>;
  readonly status?: InstanceStatus;
}

/** A run of {@link aMachine}. */
export const anInstance = ({metadata, spec, status}: InstanceOverrides = {}): Instance => ({
  apiVersion: API_VERSION,
  kind: 'VirtualMachineInstance',
  metadata: meta('web', 'vmi-uid', {
    finalizers: [Finalizer.instance],
    ownerReferences: [{apiVersion: API_VERSION, kind: 'VirtualMachine', name: 'web', uid: 'vm-uid', controller: true}],
    ...metadata,
  }),
  spec: anInstanceSpec(spec),
  ...(status === undefined ? {} : {status}),
});

/** Statuses of a run as it goes on, on node n1 in the pod of {@link aPod}. */
export const scheduled: InstanceStatus = {phase: 'Scheduled', nodeName: 'n1', activePods: {'pod-uid': 'n1'}};
export const running: InstanceStatus = {
  ...scheduled,
  phase: 'Running',
  phaseTransitionTimestamps: [{phase: 'Running', phaseTransitionTimestamp: '2026-01-01T00:00:00Z'}],
};

type ContainerState = NonNullable<NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]['state']>;

export interface PodOverrides {
  readonly metadata?: Partial<NonNullable<Pod['metadata']>>;
  readonly status?: Partial<NonNullable<Pod['status']>>;
  /** State of the compute container. */
  readonly state?: ContainerState;
}

/** The launcher pod of {@link anInstance}, placed on n1. */
export const aPod = ({metadata, status, state}: PodOverrides = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: podNameOf('web', 'vmi-uid'),
    namespace: 'default',
    uid: 'pod-uid',
    resourceVersion: '9',
    labels: {[Label.app]: LAUNCHER_APP, [Label.createdBy]: 'vmi-uid'},
    ownerReferences: [
      {apiVersion: API_VERSION, kind: 'VirtualMachineInstance', name: 'web', uid: 'vmi-uid', controller: true},
    ],
    ...metadata,
  },
  spec: {nodeName: 'n1', containers: [{name: 'compute'}]},
  status: {
    ...(state === undefined
      ? {}
      : {
          containerStatuses: [
            {name: 'compute', image: 'wherry/launcher:test', imageID: '', ready: true, restartCount: 0, state},
          ],
        }),
    ...status,
  },
});

export const isRunning: ContainerState = {running: {startedAt: '2026-01-01T00:00:00Z'}};
export const waitsFor = (reason: string, message = ''): ContainerState => ({waiting: {reason, message}});
export const exited = (exitCode: number, message = '', reason = 'Error'): ContainerState => ({
  terminated: {exitCode, message, reason},
});

export const aNode = (overrides: Partial<NodeView> = {}): NodeView => ({
  name: 'n1',
  labels: {[Label.schedulable]: 'true', [Label.kvm]: 'usable'},
  taints: [],
  unschedulable: false,
  ready: true,
  ...overrides,
});

export const withoutKvm = aNode({labels: {[Label.schedulable]: 'true', [Label.kvm]: 'absent'}});

export const aClaim = (name: string, overrides: Partial<PersistentVolumeClaim> = {}): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {name, namespace: 'default', uid: `claim-${name}`},
  spec: {accessModes: ['ReadWriteOnce'], volumeMode: 'Filesystem', resources: {requests: {storage: '1Gi'}}},
  status: {phase: 'Bound', capacity: {storage: '1Gi'}},
  ...overrides,
});

export const claimDisk = (claimName: string): Partial<InstanceSpec> => ({
  volumes: [{name: 'data', persistentVolumeClaim: {claimName}}],
});
