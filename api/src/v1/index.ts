/** The kinds of kubevirt.io/v1: one file per kind, shared parts beside them. */
export type {Chassis} from './chassis.ts';
export type {Clock, Timers} from './clock.ts';
export type {CloudInit} from './cloud-init.ts';
export type {Condition, ConditionStatus, Verdict} from './condition.ts';
export type {Cpu} from './cpu.ts';
export type {Devices} from './devices.ts';
export type {Disk} from './disk.ts';
export type {DnsConfig} from './dns.ts';
export type {Domain} from './domain.ts';
export type {Features, HypervFeatures} from './features.ts';
export type {Firmware} from './firmware.ts';
export type {InputBus, VideoType} from './graphics.ts';
export type {InstanceSpec, InstanceSpecInput} from './instance-spec.ts';
export type {GuestOsInfo, InstanceStatus, InterfaceStatus, VolumeStatus} from './instance-status.ts';
export type {DhcpOptions} from './dhcp-options.ts';
export {type Interface, type InterfaceModel, interfaceModels, type Network} from './network.ts';
export {type Covered, covered, type Support, supportIn} from './coverage.ts';
export * from './refusals/annotations.ts';
export {instanceRefusals, machineRefusals, refusedIn} from './refusals/index.ts';
export * from './refusals/kinds.ts';
export type {Probe} from './probe.ts';
export type {Affinity, Toleration, TopologySpreadConstraint} from './scheduling.ts';
export type {Volume} from './volume.ts';
export * from './virtual-machine-instance.ts';
export * from './virtual-machine.ts';

import {virtualMachineInstanceKind} from './virtual-machine-instance.ts';
import {virtualMachineKind} from './virtual-machine.ts';

/** Every kind that is installed as a CustomResourceDefinition. */
export const kinds = [virtualMachineKind, virtualMachineInstanceKind] as const;
