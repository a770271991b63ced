import {expect, test} from '@jest/globals';
import {isDaemonError} from '../errors.ts';
import {instance} from '../testing/instances.ts';
import {effectiveMachine, type NodeFacts} from './effective-machine.ts';

const facts: NodeFacts = {accelerator: 'tcg', mtu: 1450, vhost: false};
const disks = (...named: object[]) => ({domain: {memory: {guest: '256Mi'}, devices: {disks: named}}}) as object;

/** The disks of a machine with these, each over an empty disk. */
const having = (...named: object[]) => {
  const all = named.map((disk, at) => ({name: `d${at}`, ...disk}));
  const volumes = all.map(({name}) => ({name, emptyDisk: {capacity: '1Gi'}}));
  return effectiveMachine(instance({spec: {volumes, ...disks(...all)}}), facts).disks;
};

test('a disk that says nothing is on virtio, can be written, and pauses the guest when its storage fails', () => {
  const [disk] = having({});
  expect(disk).toEqual({
    name: 'd0',
    kind: 'disk',
    bus: 'virtio',
    readOnly: false,
    cache: 'writeback',
    io: 'threads',
    errorPolicy: 'stop',
    ioThreads: [],
    target: 'vda',
    source: {from: 'empty', bytes: 1024 ** 3},
  });
});

test('what a disk says of itself is what it gets', () => {
  const [disk] = having({
    bootOrder: 3,
    serial: 'S-1',
    cache: 'directsync',
    io: 'native',
    errorPolicy: 'enospace',
    blockSize: {custom: {logical: 512, physical: 4096, discardGranularity: 4096}},
    dedicatedIOThread: true,
  });
  expect(disk).toMatchObject({
    bootOrder: 3,
    serial: 'S-1',
    cache: 'directsync',
    io: 'native',
    errorPolicy: 'enospace',
    blockSizes: {logical: 512, physical: 4096, discardGranularity: 4096},
    ioThreads: [1],
  });
});

test('empty words say nothing', () => {
  expect(having({serial: '', cache: '', io: '', errorPolicy: ''})).toEqual(having({}));
});

test('block sizes are those of the volume unless that is switched off', () => {
  const sizes = having({blockSize: {matchVolume: {}}}, {blockSize: {matchVolume: {enabled: false}}}, {blockSize: {}});
  expect(sizes.map(({blockSizes}) => blockSizes)).toEqual(['volume', undefined, undefined]);
});

test('disks on sata and scsi share the names of Linux with cdroms', () => {
  const targets = having(
    {disk: {bus: 'scsi'}},
    {},
    {cdrom: {bus: 'sata'}},
    {disk: {bus: 'sata'}},
    {cdrom: {bus: 'scsi'}},
  );
  expect(targets.map(({bus, target}) => `${bus} ${target}`)).toEqual([
    'scsi sda',
    'virtio vda',
    'sata sdb',
    'sata sdc',
    'scsi sdd',
  ]);
});

test('a cdrom is read only, a disk where it says so', () => {
  const read = having({cdrom: {bus: 'scsi'}}, {disk: {bus: 'scsi', readonly: true}}, {disk: {bus: 'scsi'}});
  expect(read.map(({readOnly}) => readOnly)).toEqual([true, true, false]);
});

test('a seed is read only but on sata, which has no read-only disks', () => {
  const volumes = [{name: 'seed', cloudInitNoCloud: {userData: ''}}];
  const readOnly = ['virtio', 'sata'].map(
    bus =>
      effectiveMachine(instance({spec: {volumes, ...disks({name: 'seed', disk: {bus}})}}), facts).disks[0]?.readOnly,
  );
  expect(readOnly).toEqual([true, false]);
});

const claimed = (info: object, more: Partial<NodeFacts> = {}) =>
  effectiveMachine(
    instance({
      spec: {volumes: [{name: 'data', persistentVolumeClaim: {claimName: 'c'}}]},
      status: {
        volumeStatus: [{name: 'data', target: '', persistentVolumeClaimInfo: {capacity: {storage: '1Gi'}, ...info}}],
      },
    }),
    {...facts, ...more},
  ).disks[0];

test('a claim has no cache where its storage can do without, by what the launcher finds', () => {
  expect(claimed({})?.cache).toBe('auto');
});

test('with a launcher that cannot look, a claim has the cache that is safe everywhere', () => {
  expect(claimed({}, {launcherLooks: false})?.cache).toBe('writethrough');
});

test('a claim whose storage was filled is read and written without waiting', () => {
  expect(claimed({preallocated: true})).toMatchObject({io: 'native', source: {preallocated: true}});
  expect(claimed({preallocated: false})?.io).toBe('threads');
});

test('disks are named as Linux names them, cdroms apart', () => {
  const spec = {
    volumes: ['a', 'b', 'c'].map(name => ({name, emptyDisk: {capacity: '1Gi'}})),
    ...disks({name: 'a', disk: {bus: 'virtio'}}, {name: 'b', cdrom: {bus: 'sata'}}, {name: 'c', disk: {bus: 'virtio'}}),
  };
  const targets = effectiveMachine(instance({spec}), facts).disks.map(({name, target}) => [name, target]);
  expect(targets).toEqual([
    ['a', 'vda'],
    ['b', 'sda'],
    ['c', 'vdb'],
  ]);
});

test('the 27th disk is vdaa', () => {
  const volumes = Array.from({length: 28}, (_, n) => ({name: `v${n}`, emptyDisk: {capacity: '1Mi'}}));
  const machine = effectiveMachine(instance({spec: {volumes}}), facts);
  expect(machine.disks.slice(25).map(({target}) => target)).toEqual(['vdz', 'vdaa', 'vdab']);
});

test('a container disk is read from /disk of its image unless a path is given', () => {
  const volumes = [
    {name: 'a', containerDisk: {image: 'x'}},
    {name: 'b', containerDisk: {image: 'x', path: '/images/./b.raw'}},
  ];
  const machine = effectiveMachine(instance({spec: {volumes}}), facts);
  expect(machine.disks.map(({source}) => source)).toEqual([
    {from: 'image', backing: '/run/wherry-volumes/a/disk'},
    {from: 'image', backing: '/run/wherry-volumes/b/images/b.raw'},
  ]);
});

test('a path that leads out of its image is refused even where admission let it through', () => {
  const volumes = [{name: 'a', containerDisk: {image: 'x', path: '/disk/../../etc/passwd'}}];
  expect(() => effectiveMachine(instance({spec: {volumes}}), facts)).toThrow(/leads out of its image/);
});

test('a claim gives the disk its capacity, and must be known first', () => {
  const spec = {volumes: [{name: 'data', persistentVolumeClaim: {claimName: 'c'}}]};
  const known = {volumeStatus: [{name: 'data', target: '', persistentVolumeClaimInfo: {capacity: {storage: '1Gi'}}}]};
  expect(effectiveMachine(instance({spec, status: known}), facts).disks[0]?.source).toEqual({
    from: 'claim',
    path: '/run/wherry-volumes/data/disk.img',
    bytes: 1024 ** 3,
  });
  let error: unknown;
  try {
    effectiveMachine(instance({spec}), facts);
  } catch (caught) {
    error = caught;
  }
  expect(isDaemonError(error, 'NOT_READY')).toBe(true);
});

/** Where the bytes of this volume come from. */
const sourceOf = (volume: object, status?: object) =>
  effectiveMachine(
    instance({spec: {volumes: [{name: 'v', ...volume}]}, ...(status === undefined ? {} : {status})}),
    facts,
  ).disks[0];

test('an ephemeral disk reads the disk of its claim', () => {
  const disk = sourceOf({ephemeral: {persistentVolumeClaim: {claimName: 'golden'}}});
  expect(disk).toMatchObject({
    readOnly: false,
    cache: 'writeback',
    source: {from: 'ephemeral', backing: '/run/wherry-volumes/v/disk.img'},
  });
});

test('a claim that is only read is neither made nor written', () => {
  const status = {volumeStatus: [{name: 'v', target: '', persistentVolumeClaimInfo: {capacity: {storage: '1Gi'}}}]};
  const disk = sourceOf({persistentVolumeClaim: {claimName: 'c', readOnly: true}}, status);
  expect(disk).toMatchObject({readOnly: true, source: {from: 'claim', readOnly: true}});
});

test('a config drive has the label that its readers look for', () => {
  expect(sourceOf({cloudInitConfigDrive: {userData: 'x'}})?.source).toMatchObject({
    label: 'config-2',
    entries: [{name: 'openstack/latest/meta_data.json'}, {name: 'openstack/latest/user_data'}],
  });
});

test.each([
  ['configMap', {configMap: {name: 'c'}}, 'cfgdata'],
  ['configMap with a label', {configMap: {name: 'c', volumeLabel: 'settings'}}, 'settings'],
  ['secret', {secret: {secretName: 's', volumeLabel: ''}}, 'cfgdata'],
  ['downwardAPI', {downwardAPI: {fields: [], volumeLabel: 'facts'}}, 'facts'],
  ['serviceAccount', {serviceAccount: {serviceAccountName: 'a'}}, 'cfgdata'],
  ['sysprep', {sysprep: {configMap: {name: 'c'}}}, 'unattendCD'],
])('%s is an image of the files that the kubelet keeps, read only', (_, volume, label) => {
  const disk = sourceOf(volume);
  expect(disk?.readOnly).toBe(true);
  const needs = 'sysprep' in volume ? {needs: ['autounattend.xml', 'unattend.xml']} : {};
  expect(disk?.source).toEqual({from: 'seed', label, folder: '/run/wherry-volumes/v', entries: [], ...needs});
});

const block = (volume: object, info: object = {}, devices?: NodeFacts['devices']) =>
  effectiveMachine(
    instance({
      spec: {volumes: [{name: 'v', ...volume}]},
      status: {volumeStatus: [{name: 'v', target: '', persistentVolumeClaimInfo: {volumeMode: 'Block', ...info}}]},
    }),
    {...facts, ...(devices === undefined ? {} : {devices})},
  ).disks[0];

test('a claim in block mode is a device without a cache, which needs no size', () => {
  expect(block({persistentVolumeClaim: {claimName: 'c'}})).toMatchObject({
    readOnly: false,
    cache: 'none',
    io: 'native',
    source: {from: 'device', path: '/dev/wherry/v', bytes: 0},
  });
});

test('an ephemeral disk over a claim in block mode is as large as its device', () => {
  const found = new Map([['v', {bytes: 4096, logical: 512, physical: 4096}]]);
  expect(block({ephemeral: {persistentVolumeClaim: {claimName: 'c'}}}, {}, found)).toMatchObject({
    readOnly: false,
    cache: 'writeback',
    io: 'threads',
    source: {from: 'ephemeralDevice', path: '/dev/wherry/v', bytes: 4096, logical: 512, physical: 4096},
  });
});

test('a device that is only read is no disk that can be written', () => {
  expect(block({persistentVolumeClaim: {claimName: 'c', readOnly: true}})?.readOnly).toBe(true);
});
