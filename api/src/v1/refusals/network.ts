import type {Refusals} from '../../schema/index.ts';

const MASQUERADE = 'use masquerade: {}, and ports for what must be reached from outside';
const ADDRESSES = 'leave it out: devices keep their addresses, and interfaces are known by their macAddress';
const NAME_INSIDE = 'leave it out: the guest tells devices apart by their order or by macAddress';

/** Interfaces and the networks behind them. */
export const networkRefusals: Refusals = {
  'domain.devices.interfaces[].acpiIndex': {type: 'integer', instead: NAME_INSIDE},
  'domain.devices.interfaces[].binding': {type: 'marker', instead: MASQUERADE},
  'domain.devices.interfaces[].bootOrder': {
    type: 'integer',
    instead: 'guests boot from disks: put the disk to boot from first in domain.devices.disks',
  },
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
  'networks[].multus': {type: 'marker', instead: 'use pod: {}, the one network there is'},
  'networks[].pod.vmIPv6NetworkCIDR': {type: 'string', instead: 'leave it out: the addresses of the guest are fixed'},
  'networks[].pod.vmNetworkCIDR': {type: 'string', instead: 'leave it out: the guest is 10.0.2.2 in 10.0.2.0/24'},
  'networks[].resourceClaim': {type: 'marker', instead: 'use pod: {}, the one network there is'},
};
