import type {Refusals} from '../../schema/index.ts';

const MASQUERADE = 'use masquerade: {}, and ports for what must be reached from outside';
const GONE = 'use masquerade: {}: KubeVirt gave this binding up in version 1.3';
const ADDRESSES = 'leave it out: devices keep their addresses, and interfaces are known by their macAddress';
const NAME_INSIDE = 'leave it out: the guest tells devices apart by their order or by macAddress';

/** Interfaces and the networks behind them. */
export const networkRefusals: Refusals = {
  'domain.devices.interfaces[].binding': {type: 'marker', instead: MASQUERADE},
  'domain.devices.interfaces[].bridge': {type: 'marker', instead: MASQUERADE},
  'domain.devices.interfaces[].macvtap': {type: 'marker', instead: GONE},
  'domain.devices.interfaces[].passt': {type: 'marker', instead: GONE},
  'domain.devices.interfaces[].passtBinding': {type: 'marker', instead: MASQUERADE},
  'domain.devices.interfaces[].pciAddress': {type: 'string', instead: ADDRESSES},
  'domain.devices.interfaces[].slirp': {type: 'marker', instead: GONE},
  'domain.devices.interfaces[].sriov': {type: 'marker', instead: MASQUERADE},
  'domain.devices.interfaces[].tag': {type: 'string', instead: NAME_INSIDE},
  'networks[].multus': {type: 'marker', instead: 'use pod: {}, the one network there is'},
  'networks[].pod.vmIPv6NetworkCIDR': {type: 'string', instead: 'leave it out: guests have IPv4 addresses alone'},
  'networks[].resourceClaim': {type: 'marker', instead: 'use pod: {}, the one network there is'},
};
