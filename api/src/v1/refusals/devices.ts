import type {Refusals} from '../../schema/index.ts';

const NO_GRAPHICS = 'use the serial console, or a remote desktop inside the guest: there is no graphics device';
const NO_PASSTHROUGH = 'leave it out: devices of the node cannot be given to guests';
const MASQUERADE = 'use masquerade: {}, and ports for what must be reached from outside';
const ADDRESSES = 'leave it out: devices keep their addresses, and interfaces are known by their macAddress';
const NAME_INSIDE = 'leave it out: the guest tells devices apart by their order or by macAddress';
const BOOT_ORDER = 'put the disk to boot from first in domain.devices.disks';
const QUEUES = 'leave it out: how many queues a device has is chosen for you';

/** Devices but for disks. */
export const deviceRefusals: Refusals = {
  'domain.devices.autoattachGraphicsDevice': {type: 'boolean', instead: NO_GRAPHICS},
  'domain.devices.autoattachInputDevice': {type: 'boolean', instead: NO_GRAPHICS},
  'domain.devices.autoattachMemBalloon': {
    type: 'boolean',
    pass: true,
    instead: 'leave it out: every guest has a balloon',
  },
  'domain.devices.autoattachSerialConsole': {
    type: 'boolean',
    pass: true,
    instead: 'leave it out: every guest has a serial console',
  },
  'domain.devices.autoattachVSOCK': {type: 'boolean', instead: 'use the network of the guest'},
  'domain.devices.blockMultiQueue': {type: 'boolean', instead: QUEUES},
  'domain.devices.clientPassthrough': {type: 'marker', instead: 'use the network: USB devices cannot be redirected'},
  'domain.devices.disableHotplug': {type: 'boolean', instead: 'leave it out: nothing is plugged in while a guest runs'},
  'domain.devices.downwardMetrics': {type: 'marker', instead: 'read the metrics of the node-daemon over the network'},
  'domain.devices.filesystems': {type: 'list', instead: 'use a disk, or a file server on the network'},
  'domain.devices.gpus': {type: 'list', instead: NO_PASSTHROUGH},
  'domain.devices.hostDevices': {type: 'list', instead: NO_PASSTHROUGH},
  'domain.devices.inputs': {type: 'list', instead: NO_GRAPHICS},
  'domain.devices.interfaces[].acpiIndex': {type: 'integer', instead: NAME_INSIDE},
  'domain.devices.interfaces[].binding': {type: 'marker', instead: MASQUERADE},
  'domain.devices.interfaces[].bootOrder': {type: 'integer', instead: `guests boot from disks: ${BOOT_ORDER}`},
  'domain.devices.interfaces[].bridge': {type: 'marker', instead: MASQUERADE},
  'domain.devices.interfaces[].dhcpOptions': {
    type: 'object',
    instead: 'configure the guest by networkData of a cloudInitNoCloud volume',
  },
  'domain.devices.interfaces[].macvtap': {type: 'marker', instead: MASQUERADE},
  'domain.devices.interfaces[].passt': {type: 'marker', instead: MASQUERADE},
  'domain.devices.interfaces[].passtBinding': {type: 'marker', instead: MASQUERADE},
  'domain.devices.interfaces[].pciAddress': {type: 'string', instead: ADDRESSES},
  'domain.devices.interfaces[].portRanges': {type: 'list', instead: 'list each port in ports, or none to forward all'},
  'domain.devices.interfaces[].slirp': {type: 'marker', instead: MASQUERADE},
  'domain.devices.interfaces[].sriov': {type: 'marker', instead: MASQUERADE},
  'domain.devices.interfaces[].state': {
    type: 'string',
    pass: ['up'],
    instead: 'leave the interface out, or take its link down inside the guest',
  },
  'domain.devices.interfaces[].tag': {type: 'string', instead: NAME_INSIDE},
  'domain.devices.logSerialConsole': {
    type: 'boolean',
    instead: 'leave it out, and read the console while the guest runs',
  },
  'domain.devices.networkInterfaceMultiqueue': {type: 'boolean', instead: QUEUES},
  'domain.devices.panicDevices': {type: 'list', instead: 'leave it out: every guest can report a panic by pvpanic'},
  'domain.devices.sound': {type: 'marker', instead: 'leave it out: there is no sound device'},
  'domain.devices.tpm': {type: 'marker', instead: 'leave it out: there is no TPM, so use an image that does without'},
  'domain.devices.useVirtioTransitional': {type: 'boolean', instead: 'use an image with virtio 1.0 drivers'},
  'domain.devices.video': {type: 'object', instead: NO_GRAPHICS},
  'domain.devices.watchdog': {type: 'marker', instead: 'let something outside watch the guest and restart its machine'},
  'networks[].multus': {type: 'marker', instead: 'use pod: {}, the one network there is'},
  'networks[].pod.vmIPv6NetworkCIDR': {type: 'string', instead: 'leave it out: the addresses of the guest are fixed'},
  'networks[].pod.vmNetworkCIDR': {type: 'string', instead: 'leave it out: the guest is 10.0.2.2 in 10.0.2.0/24'},
  'networks[].resourceClaim': {type: 'marker', instead: 'use pod: {}, the one network there is'},
};
