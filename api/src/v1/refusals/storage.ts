import type {Refusals} from '../../schema/index.ts';

const NO_HOTPLUG = 'leave it out: a disk is plugged in at the next start';

/** Disks and the volumes behind them. */
export const storageRefusals: Refusals = {
  'domain.devices.disks[].cdrom.tray': {type: 'string', pass: ['closed'], instead: 'leave the cdrom out'},
  'domain.devices.disks[].changedBlockTracking': {type: 'boolean', instead: 'back up from inside the guest'},
  'domain.devices.disks[].disk.pciAddress': {type: 'string', instead: 'leave it out: disks keep their addresses'},
  'domain.devices.disks[].lun': {type: 'marker', instead: 'use disk: {bus: virtio}'},
  'domain.devices.disks[].shareable': {
    type: 'boolean',
    instead: 'leave it out and share files by a server on the network',
  },
  'domain.devices.disks[].tag': {type: 'string', instead: 'leave it out: the guest finds a disk by its order or label'},
  accessCredentials: {
    type: 'list',
    instead: 'write keys and passwords into the user data of a cloudInitNoCloud volume',
  },
  utilityVolumes: {type: 'list', instead: 'leave it out, or use a disk with a volume'},
  'volumes[].containerPath': {type: 'marker', instead: 'use a configMap, secret or serviceAccount volume'},
  'volumes[].dataVolume': {type: 'marker', instead: 'use persistentVolumeClaim with the claim of the same name'},
  'volumes[].downwardMetrics': {type: 'marker', instead: 'read the metrics of the node-daemon over the network'},
  'volumes[].hostDisk': {
    type: 'marker',
    instead: 'use persistentVolumeClaim, with a local volume of the node where it must be',
  },
  'volumes[].memoryDump': {type: 'marker', instead: 'make the dump inside the guest'},
  'volumes[].persistentVolumeClaim.hotpluggable': {type: 'boolean', instead: NO_HOTPLUG},
};
