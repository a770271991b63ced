/** A screen, the socket by which it is looked at, and what points at it. */
import {type EffectiveInput, PodLayout, type VideoType} from '@wherry/api';
import type {MachineDevices} from '../../machine/devices.ts';
import {type Args, json} from './args.ts';
import {VNC_SOCKET} from './machine-type.ts';
import {GRAPHICS_ADDRESS, platformAddress, USB_FUNCTION} from './pci.ts';

/** Graphics memory in MiB: enough for 2560 × 1600 points of 32 bits. */
const VIDEO_MIB = 16;

const cards: Readonly<Record<VideoType, object>> = {
  vga: {driver: 'VGA', vgamem_mb: VIDEO_MIB, ...GRAPHICS_ADDRESS},
  cirrus: {driver: 'cirrus-vga', vgamem_mb: VIDEO_MIB, ...GRAPHICS_ADDRESS},
  bochs: {driver: 'bochs-display', vgamem: VIDEO_MIB * 1024 * 1024, ...GRAPHICS_ADDRESS},
  virtio: {driver: 'virtio-vga', ...GRAPHICS_ADDRESS},
  // No PCI device: the firmware tells the guest where in its own memory the picture is.
  ramfb: {driver: 'ramfb'},
};

/** Whoever may reach into the pod's sockets folder may look: the pod's own user, and the node-daemon. */
const screen = (video: VideoType): Args => [
  ...json('-device', {id: 'video0', ...cards[video]}),
  '-vnc',
  `unix:${PodLayout.sockets}/${VNC_SOCKET}`,
];

const deviceId = (name: string): string => `input-${name}`;

/** `port` hands out the bus of the next free root port. */
const tablet = ({name, bus}: EffectiveInput, index: number, port: () => string): Args =>
  bus === 'virtio'
    ? json('-device', {driver: 'virtio-tablet-pci', id: deviceId(name), bus: port()})
    : json('-device', {driver: 'usb-tablet', id: deviceId(name), bus: 'usb.0', port: String(index + 1)});

/** One controller for all of them, and only where there is something for it. */
const usb: Args = json('-device', {driver: 'qemu-xhci', id: 'usb', p2: 15, p3: 15, ...platformAddress(USB_FUNCTION)});

export const graphicsArgs = ({video, inputs}: MachineDevices, port: () => string): Args => [
  ...(video === undefined ? [] : screen(video)),
  ...(inputs.some(({bus}) => bus === 'usb') ? usb : []),
  ...inputs.filter(({bus}) => bus === 'usb').flatMap((one, index) => tablet(one, index, port)),
  ...inputs.filter(({bus}) => bus === 'virtio').flatMap((one, index) => tablet(one, index, port)),
];
