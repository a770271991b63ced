/** Effective machine → plan: every argument of the QEMU process, and nothing else. Pure. */
import {type Plan, PodLayout} from '@wherry/api';
import type {EffectiveMachine} from '../../machine/effective-machine.ts';
import {type Args, descriptor, escaped, json} from './args.ts';
import {diskArgs, diskFiles} from './disks.ts';
import {dhcpAnswers, interfaceArgs, interfaceDescriptors} from './interfaces.ts';
import {AGENT_CHARDEV, AGENT_DEVICE, AGENT_PORT, AGENT_SOCKET, BALLOON_ID, QEMU_MACHINE_TYPE} from './machine-type.ts';
import {portBus, rootPorts} from './pci.ts';

export const qemuPlan = (machine: EffectiveMachine): Plan => ({
  id: machine.id,
  engine: {kind: 'qemu', program: PodLayout.qemu, args: qemuArgs(machine)},
  descriptors: [...(machine.accelerator === 'kvm' ? ['kvm'] : []), ...machine.interfaces.flatMap(interfaceDescriptors)],
  files: diskFiles(machine.disks),
  dhcp: dhcpAnswers(machine),
  graceSeconds: machine.graceSeconds,
});

const qemuArgs = (machine: EffectiveMachine): Args => {
  let ports = 0;
  const port = (): string => portBus(ports++);
  // In the order in which the guest meets them: its network is on the first ports, whatever its disks are.
  const devices = [...interfaceArgs(machine.interfaces, port), ...diskArgs(machine.disks, port)];
  return [
    ...processArgs(machine),
    ...boardArgs(machine),
    ...acceleratorArgs(machine),
    ...monitorArgs(),
    ...rootPorts(ports),
    ...devices,
    ...platformDevices(),
    ...kernelArgs(machine),
  ];
};

/** The process itself: no default devices, no user configuration, no new privileges or processes; it waits for `cont`. */
const processArgs = ({namespace, name}: EffectiveMachine): Args => [
  '-name',
  `guest=${escaped(`${namespace}_${name}`)},debug-threads=on`,
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
  // The guest's reboot stays in the process, its shutdown ends it, and so does its panic.
  '-action',
  'reboot=reset,shutdown=poweroff,panic=exit-failure',
];

/** Memory is a shared memfd, so that vhost and later a successor process can map it. */
const boardArgs = ({uuid, topology: {sockets, cores, threads}, memoryBytes}: EffectiveMachine): Args => [
  '-machine',
  `${QEMU_MACHINE_TYPE},memory-backend=ram0,usb=off,vmport=off,smm=off,hpet=off,dump-guest-core=off`,
  ...json('-object', {'qom-type': 'memory-backend-memfd', id: 'ram0', size: memoryBytes, share: true}),
  '-m',
  `size=${memoryBytes / 1024}k`,
  '-smp',
  `${sockets * cores * threads},sockets=${sockets},cores=${cores},threads=${threads}`,
  '-uuid',
  uuid,
  // What tools in the guest recognise the platform by.
  '-smbios',
  'type=1,manufacturer=KubeVirt,product=Wherry,family=KubeVirt',
  '-rtc',
  'base=utc,driftfix=slew',
  // A sleeping guest could be woken by nobody.
  '-global',
  'ICH9-LPC.disable_s3=1',
  '-global',
  'ICH9-LPC.disable_s4=1',
];

/**
 * KVM comes as a descriptor, for the pod has no device. TCG's buffer is bounded, or it grows with what the guest runs;
 * five-level paging is off because TCG walks the fifth level as slowly as the others.
 */
const acceleratorArgs = ({accelerator}: EffectiveMachine): Args =>
  accelerator === 'kvm'
    ? ['-add-fd', `fd=${descriptor('kvm')},set=1,opaque=kvm`, '-accel', 'kvm,device=/dev/fdset/1', '-cpu', 'host']
    : ['-accel', 'tcg,thread=multi,tb-size=64', '-cpu', 'max,-la57'];

/** The launcher holds the other ends: control channel and serial console. */
const monitorArgs = (): Args => [
  '-chardev',
  `socket,id=qmp,fd=${descriptor('qmp')}`,
  '-mon',
  'chardev=qmp,mode=control',
  '-chardev',
  `socket,id=serial0,fd=${descriptor('serial0')}`,
  '-serial',
  'chardev:serial0',
];

/** What every guest has: entropy, a balloon, a channel for its agent, and a bell to ring when it panics. */
const platformDevices = (): Args => [
  ...json('-object', {'qom-type': 'rng-random', id: 'entropy', filename: '/dev/urandom'}),
  ...json('-device', {driver: 'virtio-rng-pci', id: 'rng0', rng: 'entropy', ...platformSlot(0)}),
  ...json('-device', {driver: 'virtio-balloon-pci', id: BALLOON_ID, 'free-page-reporting': true, ...platformSlot(1)}),
  ...json('-device', {driver: 'virtio-serial-pci', id: 'channels', max_ports: 4, ...platformSlot(2)}),
  '-chardev',
  `socket,id=${AGENT_CHARDEV},path=${PodLayout.sockets}/${AGENT_SOCKET},server=on,wait=off`,
  ...json('-device', {
    driver: 'virtserialport',
    id: AGENT_DEVICE,
    bus: 'channels.0',
    nr: 1,
    chardev: AGENT_CHARDEV,
    name: AGENT_PORT,
  }),
  ...json('-device', {driver: 'pvpanic', id: 'panic0'}),
];

/** Devices that are never unplugged share one slot of the root bus. */
const platformSlot = (fn: number): object => ({
  bus: 'pcie.0',
  addr: `0x1.0x${fn}`,
  'disable-legacy': 'on',
  ...(fn === 0 ? {multifunction: true} : {}),
});

const kernelArgs = ({kernel}: EffectiveMachine): Args =>
  kernel === undefined
    ? []
    : [
        ...(kernel.kernel === undefined ? [] : ['-kernel', kernel.kernel]),
        ...(kernel.initrd === undefined ? [] : ['-initrd', kernel.initrd]),
        ...(kernel.args === '' ? [] : ['-append', kernel.args]),
      ];
