/** Effective machine → plan for the native engine. Pure. */
import {type Plan, PodLayout} from '@wherry/api';
import {unsupportedMachine} from '../../errors.ts';
import type {EffectiveMachine} from '../../machine/effective-machine.ts';
import type {MachineInterface} from '../../machine/interfaces.ts';
import {cardName, dhcpAnswers, diskDescriptors, interfaceDescriptors, planSetup} from '../plan-parts.ts';
import {diskFiles, diskOf} from './disks.ts';
import {Blank, machineText, type Value} from './text.ts';

/** @throws DaemonError UNSUPPORTED_MACHINE for what the engine has no words for; the matrix says more, and says it earlier */
export const nativePlan = (machine: EffectiveMachine): Plan => ({
  id: machine.id,
  engine: {kind: 'native', program: PodLayout.vmm, args: [machineText(description(machine))], ...planSetup(machine)},
  descriptors: ['kvm', ...machine.interfaces.flatMap(interfaceDescriptors), ...diskDescriptors(machine.disks)],
  files: diskFiles(machine.disks),
  dhcp: dhcpAnswers(machine),
  graceSeconds: machine.graceSeconds,
  ...(machine.startPaused ? {startPaused: true} : {}),
  ...(machine.logConsole ? {} : {logConsole: false}),
});

/** As `native/vmm/src/config.rs` reads it. The network is in the first slots, whatever disks there are. */
const description = (machine: EffectiveMachine): Value => {
  const {accelerator, topology, memoryBytes, interfaces, disks, rebootPolicy} = machine;
  if (accelerator !== 'kvm') throw unsupportedMachine('the native engine needs KVM: use QEMU where there is none');
  return {
    memory: memoryBytes,
    cpus: topology.sockets * topology.cores * topology.threads,
    kvm: Blank.descriptor('kvm'),
    control: Blank.descriptor('qmp'),
    serial: Blank.descriptor('serial0'),
    boot: bootOf(machine),
    devices: [...interfaces.map(cardOf), ...disks.map(diskOf), {kind: 'rng'}],
    onReset: rebootPolicy === 'Terminate' ? 'end' : 'boot',
  };
};

const bootOf = ({kernel}: EffectiveMachine): Value => {
  if (kernel?.kernel === undefined) throw unsupportedMachine('the native engine boots a kernelBoot alone: use QEMU');
  return {
    kernel: Blank.file(kernel.kernel, 'ro,follow'),
    initrd: kernel.initrd === undefined ? undefined : Blank.file(kernel.initrd, 'ro,follow'),
    commandLine: kernel.args,
  };
};

const cardOf = (one: MachineInterface, index: number): Value => {
  if (one.model !== 'virtio')
    throw unsupportedMachine(`the native engine has no card ${one.model} for ${one.name}: use virtio, or QEMU`);
  return {
    kind: 'net',
    name: cardName(one),
    tap: Blank.descriptor(`tap${index}`),
    vhost: one.vhost ? Blank.descriptor(`vhost${index}`) : undefined,
    mac: one.mac,
    mtu: one.mtu,
  };
};
