import type {PrintableStatus} from '@wherry/api';
import {Gauge, type Registry} from 'prom-client';
import type {Instance, Machine} from './objects.ts';

interface Listing<T> {
  list(): readonly T[];
}

/**
 * Gauges under KubeVirt's names, computed from the caches at each scrape: nothing is counted twice or forgotten.
 */
export const registerMetrics = (registry: Registry, machines: Listing<Machine>, instances: Listing<Instance>): void => {
  registry.registerMetric(machineInfo(machines));
  registry.registerMetric(phaseCount(instances));
};

const machineInfo = (machines: Listing<Machine>) =>
  new Gauge({
    name: 'kubevirt_vm_info',
    help: 'Virtual machines: 1 for each, with its status.',
    labelNames: ['name', 'namespace', 'status', 'status_group'],
    registers: [],
    collect() {
      this.reset();
      for (const {metadata, status} of machines.list()) {
        const printable = status?.printableStatus ?? 'Unknown';
        const {name, namespace} = metadata;
        this.set({name, namespace, status: printable.toLowerCase(), status_group: groups[printable]}, 1);
      }
    },
  });

const phaseCount = (instances: Listing<Instance>) =>
  new Gauge({
    name: 'kubevirt_vmi_phase_count',
    help: 'Virtual machine instances by phase and node.',
    labelNames: ['phase', 'node'],
    registers: [],
    collect() {
      this.reset();
      for (const {status} of instances.list())
        this.inc({phase: (status?.phase ?? 'Unset').toLowerCase(), node: status?.nodeName ?? ''});
    },
  });

/** KubeVirt's coarse view of a machine, for alerts. */
const groups: Readonly<Record<PrintableStatus, string>> = {
  Stopped: 'non_running',
  Provisioning: 'starting',
  Starting: 'starting',
  Running: 'running',
  Paused: 'non_running',
  Stopping: 'non_running',
  Terminating: 'non_running',
  CrashLoopBackOff: 'error',
  Migrating: 'migrating',
  Unknown: 'error',
  ErrorUnschedulable: 'error',
  ErrImagePull: 'error',
  ImagePullBackOff: 'error',
  ErrorPvcNotFound: 'error',
  DataVolumeError: 'error',
  WaitingForVolumeBinding: 'starting',
  WaitingForReceiver: 'starting',
};
