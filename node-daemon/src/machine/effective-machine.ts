/** What an engine is asked to run: an instance with every default and every path filled in, the same for all engines. */
import {
  type Accelerator,
  cpuTopology,
  type CpuTopology,
  effectiveSpec,
  guestMemoryBytes,
  hostnameOf,
  machineUid,
  namedMachineType,
  type VirtualMachineInstance,
} from '@wherry/api';
import {clockOf, type MachineClock} from './clock.ts';
import {cpuOf, type MachineCpu} from './cpu.ts';
import {devicesOf, type MachineDevices} from './devices.ts';
import {type DiskFacts, disksOf, type MachineDisk} from './disks.ts';
import {featuresOf, type MachineFeatures} from './features.ts';
import {
  kernelFiles,
  labelsOf,
  loaderOf,
  type MachineKernel,
  type MachineLabels,
  type MachineLoader,
} from './firmware.ts';
import {interfacesOf, type LinkFacts, type MachineInterface} from './interfaces.ts';

export interface EffectiveMachine {
  /** The instance's uid: one machine per run. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly hostname: string;
  /** Of its names in the cluster; undefined where it has none. */
  readonly subdomain?: string;
  readonly uuid: string;
  readonly accelerator: Accelerator;
  /** By its full name; undefined for the engine's own. */
  readonly machineType?: string;
  readonly topology: CpuTopology;
  readonly cpu: MachineCpu;
  readonly features: MachineFeatures;
  readonly clock: MachineClock;
  readonly loader: MachineLoader;
  readonly labels: MachineLabels;
  /** A whole number of MiB. */
  readonly memoryBytes: number;
  readonly kernel?: MachineKernel;
  readonly disks: readonly MachineDisk[];
  readonly interfaces: readonly MachineInterface[];
  readonly devices: MachineDevices;
  /** The serial console goes to the pod's log as well. */
  readonly logConsole: boolean;
  /** The guest is made, but does not run until it is resumed. */
  readonly startPaused: boolean;
  /** What a reboot of the guest ends: nothing, or the run. */
  readonly rebootPolicy: 'Reboot' | 'Terminate';
  /** Seconds between the power button and the kill. */
  readonly graceSeconds: number;
}

/** What the instance itself does not say. */
export interface NodeFacts extends LinkFacts, DiskFacts {
  readonly accelerator: Accelerator;
  /** Whether the serial console goes to the pod's log where the instance does not say. Defaults to true. */
  readonly logConsole?: boolean;
}

const MiB = 1024 * 1024;

/** @throws DaemonError UNSUPPORTED_MACHINE, NOT_READY (a claim's size is not published yet) */
export const effectiveMachine = (vmi: VirtualMachineInstance, facts: NodeFacts): EffectiveMachine => {
  const {name = '', namespace = '', uid = ''} = vmi.metadata;
  const spec = effectiveSpec(vmi.spec, machineUid(vmi));
  const hostname = hostnameOf(name, spec.hostname);
  const {uuid, kernelBoot} = spec.domain.firmware;
  const machineType = namedMachineType(spec.domain.machine?.type);
  const kernel = kernelBoot?.container === undefined ? {} : {kernel: kernelFiles(kernelBoot)};
  return {
    id: uid,
    namespace,
    name,
    hostname,
    ...(spec.subdomain ? {subdomain: spec.subdomain} : {}),
    uuid,
    accelerator: facts.accelerator,
    ...(machineType === undefined ? {} : {machineType}),
    topology: cpuTopology(spec.domain),
    cpu: cpuOf(spec.domain),
    features: featuresOf(spec.domain.features),
    clock: clockOf(spec.domain.clock),
    loader: loaderOf(spec.domain.firmware),
    labels: labelsOf(spec.domain),
    memoryBytes: Math.ceil(guestMemoryBytes(spec.domain) / MiB) * MiB,
    ...kernel,
    disks: disksOf(vmi, spec, {uuid, hostname}, facts),
    interfaces: interfacesOf(spec, facts),
    devices: devicesOf(spec.domain),
    logConsole: spec.domain.devices.logSerialConsole ?? facts.logConsole ?? true,
    startPaused: spec.startStrategy === 'Paused',
    rebootPolicy: spec.domain.rebootPolicy === 'Terminate' ? 'Terminate' : 'Reboot',
    graceSeconds: spec.terminationGracePeriodSeconds,
  };
};
