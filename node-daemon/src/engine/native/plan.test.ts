import {expect, test} from '@jest/globals';
import type {MachineDisk} from '../../machine/disks.ts';
import type {EffectiveMachine} from '../../machine/effective-machine.ts';
import {disk, machine, nic} from '../../testing/machines.ts';
import {nativePlan} from './plan.ts';

const MiB = 1024 ** 2;
const claim = {from: 'claim', path: '/run/wherry-volumes/data/disk.img', bytes: 32 * MiB} as const;

/** A machine within the matrix. */
const native = (overrides: Partial<EffectiveMachine> = {}): EffectiveMachine =>
  machine({
    accelerator: 'kvm',
    memoryBytes: 128 * MiB,
    kernel: {
      kernel: '/run/wherry-kernel/boot/vmlinuz',
      initrd: '/run/wherry-kernel/boot/initrd',
      args: 'console=ttyS0',
    },
    disks: [disk('data', claim, {cache: 'auto'})],
    interfaces: [nic({vhost: true})],
    ...overrides,
  });

/** The description as the engine reads it, each blank a text. */
const described = (overrides: Partial<EffectiveMachine> = {}) => {
  const [text = ''] = nativePlan(native(overrides)).engine.args;
  return JSON.parse(text.replaceAll(/(?<!")(\{(?:fd|open|blocksize):[^}]*\})/g, '"$1"')) as {
    readonly [name: string]: unknown;
    readonly devices: readonly Record<string, unknown>[];
  };
};

const diskOf = (overrides: Partial<MachineDisk>, source: MachineDisk['source'] = claim) =>
  described({disks: [disk('data', source, overrides)]}).devices.find(({kind}) => kind === 'block');

test('the whole plan of a guest is as it is written here', () => {
  expect(nativePlan(native())).toMatchInlineSnapshot(`
{
  "descriptors": [
    "kvm",
    "tap0",
    "vhost0",
    "dhcp0",
  ],
  "dhcp": [
    {
      "address": "10.0.2.2",
      "hostname": "guest",
      "interface": "default",
      "mac": "02:00:00:00:00:01",
      "mtu": 1450,
      "prefixLength": 24,
      "resolvConf": "/etc/resolv.conf",
      "router": "10.0.2.1",
      "socket": "dhcp0",
    },
  ],
  "engine": {
    "args": [
      "{"memory":134217728,"cpus":2,"kvm":{fd:kvm},"control":{fd:qmp},"serial":{fd:serial0},"boot":{"kernel":{open:/run/wherry-kernel/boot/vmlinuz?ro,follow},"initrd":{open:/run/wherry-kernel/boot/initrd?ro,follow},"commandLine":"console=ttyS0"},"devices":[{"kind":"net","name":"net-default","tap":{fd:tap0},"vhost":{fd:vhost0},"mac":"02:00:00:00:00:01","mtu":1450},{"kind":"block","fd":{open:/run/wherry-volumes/data/disk.img?rw,auto},"name":"disk-data","readOnly":false,"cache":"{direct:/run/wherry-volumes/data/disk.img?writeback:writethrough}","discard":true,"onError":"stop"},{"kind":"rng"}],"onReset":"boot"}",
    ],
    "kind": "native",
    "program": "/usr/bin/wherry-vmm",
  },
  "files": [
    {
      "bytes": 33554432,
      "make": "raw",
      "path": "/run/wherry-volumes/data/disk.img",
    },
  ],
  "graceSeconds": 30,
  "id": "run-1",
}
`);
});

test('a guest without anything else has its entropy alone', () => {
  expect(described({disks: [], interfaces: []}).devices).toEqual([{kind: 'rng'}]);
  expect(nativePlan(native({disks: [], interfaces: []})).descriptors).toEqual(['kvm']);
});

test.each<[MachineDisk['cache'], string, string]>([
  ['none', 'rw,auto', 'writeback'],
  ['directsync', 'rw,auto', 'writethrough'],
  ['writethrough', 'rw', 'writethrough'],
  ['writeback', 'rw', 'writeback'],
  ['auto', 'rw,auto', '{direct:/run/wherry-volumes/data/disk.img?writeback:writethrough}'],
])('a disk with the cache %s is opened %s and tells its guest %s', (cache, how, told) => {
  expect(diskOf({cache})).toMatchObject({fd: `{open:${claim.path}?${how}}`, cache: told});
});

test('a disk that is only read is opened so, and is not made', () => {
  const source = {...claim, readOnly: true};
  expect(diskOf({readOnly: true}, source)).toMatchObject({fd: `{open:${claim.path}?ro}`, readOnly: true});
  expect(nativePlan(native({disks: [disk('data', source)]})).files).toEqual([]);
});

test('the device of a claim comes open', () => {
  const source = {from: 'device', path: '/dev/wherry/data', bytes: MiB, logical: 512, physical: 4096} as const;
  const disks = [disk('data', source, {cache: 'none', blockSizes: 'volume'})];
  expect(described({disks}).devices.find(({kind}) => kind === 'block')).toMatchObject({
    fd: '{fd:disk0}',
    cache: 'writeback',
    logicalBlockSize: 512,
    physicalBlockSize: 4096,
  });
  expect(nativePlan(native({disks})).descriptors).toContain('disk0');
});

test('an empty disk is raw, and what is made of text is an image', () => {
  const empty = disk('scratch', {from: 'empty', bytes: MiB});
  const seed = disk('seed', {from: 'seed', label: 'cidata', entries: []}, {readOnly: true});
  const plan = nativePlan(native({disks: [empty, seed]}));
  expect(plan.files).toEqual([
    {make: 'raw', path: '/var/lib/wherry/scratch.empty.img', bytes: MiB},
    {make: 'iso', path: '/var/lib/wherry/seed.seed.iso', label: 'cidata', entries: []},
  ]);
});

test('what a disk is like is handed on', () => {
  const sizes = {logical: 4096, physical: 4096, discardGranularity: 8192};
  expect(diskOf({serial: 'S1', errorPolicy: 'enospace', blockSizes: sizes})).toMatchObject({
    serial: 'S1',
    onError: 'enospace',
    logicalBlockSize: 4096,
    physicalBlockSize: 4096,
    discardGranularity: 8192,
    discard: true,
  });
  expect(diskOf({blockSizes: 'volume'})).toMatchObject({logicalBlockSize: `{blocksize:${claim.path}}`});
  expect(diskOf({}, {...claim, preallocated: true})).toMatchObject({discard: false});
});

test('a card without vhost, and one that is unplugged', () => {
  const plan = nativePlan(native({interfaces: [nic({isLinkUp: false})]}));
  expect(plan.engine.setup).toEqual([{execute: 'set_link', arguments: {name: 'net-default', up: false}}]);
  expect(described({interfaces: [nic()]}).devices[0]).not.toHaveProperty('vhost');
});

test('a reboot may end the run, and a guest may wait to be started', () => {
  expect(described()).toMatchObject({onReset: 'boot'});
  expect(described({rebootPolicy: 'Terminate'})).toMatchObject({onReset: 'end'});
  const waits = nativePlan(native({startPaused: true, logConsole: false}));
  expect(waits).toMatchObject({startPaused: true, logConsole: false});
});

test.each<[string, Partial<EffectiveMachine>]>([
  ['emulation', {accelerator: 'tcg'}],
  ['a machine without a kernel of its own', {kernel: {args: ''}}],
  ['an overlay', {disks: [disk('root', {from: 'image', backing: '/x'})]}],
  ['a card that is none of virtio', {interfaces: [nic({model: 'e1000'})]}],
])('there is no plan for %s', (_what, overrides) => {
  expect(() => nativePlan(native(overrides))).toThrow(/the native engine/);
});
