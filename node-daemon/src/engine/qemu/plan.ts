/** Effective machine → plan: every argument of the QEMU process, and nothing else. Pure. */
import {type Plan, PodLayout} from '@wherry/api';
import {bootIndices, isBootOrdered} from '../../machine/boot-order.ts';
import type {EffectiveMachine} from '../../machine/effective-machine.ts';
import {dhcpAnswers, diskDescriptors, interfaceDescriptors, planSetup} from '../plan-parts.ts';
import {type Args, escaped} from './args.ts';
import {boardArgs} from './board.ts';
import {acceleratorArgs} from './cpu.ts';
import {diskArgs, diskFiles} from './disks.ts';
import {kernelArgs, loaderArgs, loaderFiles} from './firmware.ts';
import {graphicsArgs} from './graphics.ts';
import {interfaceArgs} from './interfaces.ts';
import {peripheralArgs} from './peripherals.ts';
import {portBus, rootPorts} from './pci.ts';
import {monitorArgs, platformDevices} from './platform.ts';

/** @param now milliseconds since the epoch */
export const qemuPlan = (machine: EffectiveMachine, now: number): Plan => ({
  id: machine.id,
  engine: {kind: 'qemu', program: PodLayout.qemu, args: qemuArgs(machine, now), ...planSetup(machine)},
  descriptors: [
    ...(machine.accelerator === 'kvm' ? ['kvm'] : []),
    ...machine.interfaces.flatMap(interfaceDescriptors),
    ...diskDescriptors(machine.disks),
  ],
  files: [...loaderFiles(machine.loader), ...diskFiles(machine.disks)],
  dhcp: dhcpAnswers(machine),
  graceSeconds: machine.graceSeconds,
  // A launcher of before knows neither field.
  ...(machine.startPaused ? {startPaused: true} : {}),
  ...(machine.logConsole ? {} : {logConsole: false}),
});

const qemuArgs = (machine: EffectiveMachine, now: number): Args => {
  let ports = 0;
  const port = (): string => portBus(ports++);
  // In the order in which the guest meets them: its network is on the first ports, whatever its disks are.
  const boot = bootIndices(machine.disks, machine.interfaces);
  const devices = [
    ...interfaceArgs(machine.interfaces, boot.interfaces, port),
    ...diskArgs(machine.disks, boot.disks, port),
    ...graphicsArgs(machine.devices, port),
  ];
  return [
    ...processArgs(machine),
    ...boardArgs(machine, now),
    ...loaderArgs(machine.loader),
    ...acceleratorArgs(machine),
    ...monitorArgs(machine.devices),
    ...bootArgs(machine),
    ...rootPorts(ports),
    ...devices,
    ...platformDevices(machine.devices),
    ...peripheralArgs(machine.devices),
    ...kernelArgs(machine),
  ];
};

/** Without this the firmware goes on to devices without an index when those with one are exhausted. */
const bootArgs = ({disks, interfaces}: EffectiveMachine): Args =>
  isBootOrdered(disks, interfaces) ? ['-boot', 'strict=on'] : [];

/** The process itself: no default devices, no user configuration, no new privileges or processes; it waits for `cont`. */
const processArgs = (machine: EffectiveMachine): Args => [
  '-name',
  `guest=${escaped(`${machine.namespace}_${machine.name}`)},debug-threads=on`,
  '-nodefaults',
  '-no-user-config',
  '-S',
  '-display',
  'none',
  '-msg',
  'timestamp=on',
  '-L',
  PodLayout.firmware,
  '-sandbox',
  'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
  '-action',
  actions(machine),
];

/** The guest's reboot stays in the process unless it is to end the run; its shutdown ends it, and so does its panic. */
const actions = ({rebootPolicy, devices: {watchdog}}: EffectiveMachine): string =>
  [
    `reboot=${rebootPolicy === 'Terminate' ? 'shutdown' : 'reset'}`,
    'shutdown=poweroff',
    'panic=exit-failure',
    ...(watchdog === undefined ? [] : [`watchdog=${watchdog}`]),
  ].join(',');
