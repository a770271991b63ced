import type {Refusals} from '../../schema/index.ts';

const NO_PASSTHROUGH = 'leave it out: devices of the node cannot be given to guests';
const QUEUES = 'leave it out: how many queues a device has is chosen for you';

/** Devices but for disks and interfaces. */
export const deviceRefusals: Refusals = {
  'domain.devices.autoattachVSOCK': {type: 'boolean', instead: 'use the network of the guest'},
  'domain.devices.clientPassthrough': {type: 'marker', instead: 'use the network: USB devices cannot be redirected'},
  'domain.devices.disableHotplug': {type: 'boolean', instead: 'leave it out: nothing is plugged in while a guest runs'},
  'domain.devices.downwardMetrics': {type: 'marker', instead: 'read the metrics of the node-daemon over the network'},
  'domain.devices.filesystems': {type: 'list', instead: 'use a disk, or a file server on the network'},
  'domain.devices.gpus': {type: 'list', instead: NO_PASSTHROUGH},
  'domain.devices.hostDevices': {type: 'list', instead: NO_PASSTHROUGH},
  'domain.devices.networkInterfaceMultiqueue': {type: 'boolean', instead: QUEUES},
  'domain.devices.tpm': {type: 'marker', instead: 'leave it out: there is no TPM, so use an image that does without'},
  'domain.devices.useVirtioTransitional': {type: 'boolean', instead: 'use an image with virtio 1.0 drivers'},
  'domain.devices.watchdog.diag288': {type: 'marker', instead: 'use i6300esb: {action: reset}'},
};
