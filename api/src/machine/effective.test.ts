import {describe, expect, test} from '@jest/globals';
import type {Domain, InstanceSpec} from '../v1/index.ts';
import {cpuTopology, effectiveSpec, guestMemoryBytes, vcpuCount} from './effective.ts';
import {firmwareUuidOf, macAddressOf} from './identity.ts';

const spec = (overrides: Partial<InstanceSpec> = {}, domain: Partial<Domain> = {}): InstanceSpec => ({
  terminationGracePeriodSeconds: 30,
  domain: {memory: {guest: '128Mi'}, devices: {}, ...domain},
  ...overrides,
});

const scratch = {name: 'scratch', emptyDisk: {capacity: '1Gi'}};
const nic = {name: 'default', model: 'virtio', masquerade: {}} as const;

describe('the effective machine', () => {
  test('has a virtio disk for each volume without one, behind those that are given', () => {
    const seed = {name: 'seed', cloudInitNoCloud: {userData: '#cloud-config'}};
    const cdrom = {name: 'seed', cdrom: {bus: 'sata', readonly: true}} as const;
    const {domain} = effectiveSpec(spec({volumes: [scratch, seed]}, {devices: {disks: [cdrom]}}), 'vm');
    expect(domain.devices.disks).toEqual([cdrom, {name: 'scratch', disk: {bus: 'virtio'}}]);
  });

  test('is on the network of the pod where it names no network', () => {
    const {domain, networks} = effectiveSpec(spec(), 'vm');
    expect(networks).toEqual([{name: 'default', pod: {}}]);
    expect(domain.devices.interfaces).toEqual([{...nic, macAddress: macAddressOf('vm', 'default')}]);
  });

  test('is on no network where it refuses the default one', () => {
    const {domain, networks} = effectiveSpec(spec({}, {devices: {autoattachPodInterface: false}}), 'vm');
    expect(networks).toEqual([]);
    expect(domain.devices.interfaces).toEqual([]);
  });

  test('keeps the interfaces, addresses and UUID that are given, in lower case', () => {
    const uuid = '5D307CA9-B3EF-428C-8861-06E72D69F223';
    const given = spec(
      {networks: [{name: 'default', pod: {}}]},
      {firmware: {uuid}, devices: {interfaces: [{...nic, macAddress: 'DE-AD-00-00-BE-AF', ports: []}]}},
    );
    const {domain} = effectiveSpec(given, 'vm');
    expect(domain.firmware).toEqual({uuid: uuid.toLowerCase()});
    expect(domain.devices.interfaces).toEqual([{...nic, macAddress: 'de:ad:00:00:be:af', ports: []}]);
  });

  test('has a UUID of its own beside the kernel that it boots', () => {
    const kernelBoot = {container: {image: 'kernel', kernelPath: '/boot/vmlinuz'}};
    const {firmware} = effectiveSpec(spec({}, {firmware: {kernelBoot}}), 'vm').domain;
    expect(firmware).toEqual({kernelBoot, uuid: firmwareUuidOf('vm')});
  });

  test('is a fixed point: what was made effective once stays as it is, whoever asks', () => {
    const once = effectiveSpec(spec({volumes: [scratch]}), 'vm');
    expect(effectiveSpec(once, 'another')).toEqual(once);
  });

  test('leaves the rest of the spec alone', () => {
    const rest = {hostname: 'web', nodeSelector: {zone: 'a'}, terminationGracePeriodSeconds: 5};
    expect(effectiveSpec(spec(rest), 'vm')).toMatchObject(rest);
  });
});

describe('memory', () => {
  const requests = {requests: {memory: '64Mi'}, limits: {memory: '256Mi'}};

  test('is what the guest is given, else the request, else the limit', () => {
    expect(guestMemoryBytes({memory: {guest: '128Mi'}, resources: requests})).toBe(134_217_728);
    expect(guestMemoryBytes({memory: {}, resources: requests})).toBe(67_108_864);
    expect(guestMemoryBytes({resources: {limits: requests.limits}})).toBe(268_435_456);
  });

  test('that is missing is an error with the remedy', () => {
    expect(() => guestMemoryBytes({resources: {requests: {cpu: 1}}})).toThrow(
      expect.objectContaining({code: 'MEMORY_MISSING', message: expect.stringContaining('give domain.memory.guest')}),
    );
  });
});

describe('vCPUs', () => {
  test.each([
    [{}, {sockets: 1, cores: 1, threads: 1}, 1],
    [{cpu: {cores: 2}}, {sockets: 1, cores: 2, threads: 1}, 2],
    [{cpu: {cores: 2, sockets: 3, threads: 2}}, {sockets: 3, cores: 2, threads: 2}, 12],
    [{cpu: {cores: 1}, resources: {limits: {cpu: 4}}}, {sockets: 1, cores: 1, threads: 1}, 1],
    [{cpu: {}, resources: {requests: {cpu: '1500m'}}}, {sockets: 2, cores: 1, threads: 1}, 2],
    [{resources: {requests: {cpu: 1}, limits: {cpu: '4'}}}, {sockets: 4, cores: 1, threads: 1}, 4],
    [{resources: {requests: {cpu: '0'}}}, {sockets: 1, cores: 1, threads: 1}, 1],
  ])('%j are %j', (domain, topology, count) => {
    expect(cpuTopology(domain)).toEqual(topology);
    expect(vcpuCount(domain)).toBe(count);
  });
});
