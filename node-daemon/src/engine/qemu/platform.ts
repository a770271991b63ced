/** Devices that every guest has, whatever else it is given. */
import {PodLayout} from '@wherry/api';
import type {MachineDevices} from '../../machine/devices.ts';
import {type Args, descriptor, json} from './args.ts';
import {AGENT_CHARDEV, AGENT_DEVICE, AGENT_PORT, AGENT_SOCKET, BALLOON_ID} from './machine-type.ts';
import {platformAddress} from './pci.ts';

/** The launcher holds the other ends: control channel and serial console. */
export const monitorArgs = ({serialConsole}: MachineDevices): Args => [
  '-chardev',
  `socket,id=qmp,fd=${descriptor('qmp')}`,
  '-mon',
  'chardev=qmp,mode=control',
  ...(serialConsole ? ['-chardev', `socket,id=serial0,fd=${descriptor('serial0')}`, '-serial', 'chardev:serial0'] : []),
];

/** What every guest has: entropy, a balloon unless it wants none, a channel for its agent, a bell to ring when it panics. */
export const platformDevices = ({balloon}: MachineDevices): Args => [
  ...json('-object', {'qom-type': 'rng-random', id: 'entropy', filename: '/dev/urandom'}),
  ...json('-device', {driver: 'virtio-rng-pci', id: 'rng0', rng: 'entropy', ...platformSlot(0)}),
  ...(balloon
    ? json('-device', {driver: 'virtio-balloon-pci', id: BALLOON_ID, 'free-page-reporting': true, ...platformSlot(1)})
    : []),
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
  ...platformAddress(fn),
  'disable-legacy': 'on',
  ...(fn === 0 ? {multifunction: true} : {}),
});
