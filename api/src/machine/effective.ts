/**
 * The effective machine: a spec with every derived value filled in. The operator makes instances from it; operator and
 * node-daemon both apply it to what they read, so that an instance that was made by hand means the same to both.
 */
import {missingMemory} from '../errors.ts';
import type {Disk, Domain, InstanceSpec, Interface, Network} from '../v1/index.ts';
import {firmwareUuidOf, macAddressOf, normalMacAddress} from './identity.ts';
import {bytesOf, millicoresOf} from './quantity.ts';

export interface EffectiveInterface extends Interface {
  readonly macAddress: string;
}

/** An instance's spec in which nothing is left to be derived. */
export interface EffectiveSpec extends InstanceSpec {
  readonly domain: Domain & {
    readonly firmware: NonNullable<Domain['firmware']> & {readonly uuid: string};
    readonly devices: Domain['devices'] & {
      readonly disks: readonly Disk[];
      readonly interfaces: readonly EffectiveInterface[];
    };
  };
  readonly networks: readonly Network[];
}

const podInterface: Interface = {name: 'default', model: 'virtio', masquerade: {}};
const podNetwork: Network = {name: 'default', pod: {}};

const disksOf = (spec: InstanceSpec): readonly Disk[] => {
  const disks = spec.domain.devices.disks ?? [];
  const named = new Set(disks.map(disk => disk.name));
  const missing = (spec.volumes ?? []).filter(volume => !named.has(volume.name));
  return [...disks, ...missing.map(({name}): Disk => ({name, disk: {bus: 'virtio'}}))];
};

const wantsPodNetwork = (spec: InstanceSpec): boolean =>
  spec.domain.devices.autoattachPodInterface !== false &&
  (spec.domain.devices.interfaces ?? []).length === 0 &&
  (spec.networks ?? []).length === 0;

/**
 * Fills in a disk for each volume without one, the default network, MAC addresses and the firmware's UUID.
 * Applying it twice changes nothing.
 *
 * @param uid what addresses are derived from: see `machineUid`
 */
export const effectiveSpec = (spec: InstanceSpec, uid: string): EffectiveSpec => {
  const {devices, firmware} = spec.domain;
  const pod = wantsPodNetwork(spec);
  const interfaces = pod ? [podInterface] : (devices.interfaces ?? []);
  return {
    ...spec,
    domain: {
      ...spec.domain,
      firmware: {...firmware, uuid: firmware?.uuid?.toLowerCase() ?? firmwareUuidOf(uid)},
      devices: {
        ...devices,
        disks: disksOf(spec),
        interfaces: interfaces.map(one => ({
          ...one,
          macAddress: one.macAddress === undefined ? macAddressOf(uid, one.name) : normalMacAddress(one.macAddress),
        })),
      },
    },
    networks: pod ? [podNetwork] : (spec.networks ?? []),
  };
};

/** What the guest sees as its memory, in bytes. @throws ContractError MEMORY_MISSING where the spec says none. */
export const guestMemoryBytes = ({memory, resources}: Pick<Domain, 'memory' | 'resources'>): number => {
  const quantity = memory?.guest ?? resources?.requests?.['memory'] ?? resources?.limits?.['memory'];
  if (quantity === undefined) {
    throw missingMemory();
  }
  return bytesOf(quantity);
};

export interface CpuTopology {
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
}

/** The guest's CPUs. A spec without a topology gets one socket for each whole CPU of its limit, else of its request. */
export const cpuTopology = ({cpu, resources}: Pick<Domain, 'cpu' | 'resources'>): CpuTopology => {
  if (cpu?.cores === undefined && cpu?.sockets === undefined && cpu?.threads === undefined) {
    const asked = resources?.limits?.['cpu'] ?? resources?.requests?.['cpu'] ?? 1;
    return {sockets: Math.max(1, Math.ceil(millicoresOf(asked) / 1000)), cores: 1, threads: 1};
  }
  return {sockets: cpu.sockets ?? 1, cores: cpu.cores ?? 1, threads: cpu.threads ?? 1};
};

/** How many vCPUs the guest has. */
export const vcpuCount = (domain: Pick<Domain, 'cpu' | 'resources'>): number => {
  const {sockets, cores, threads} = cpuTopology(domain);
  return sockets * cores * threads;
};
