import {clockOf} from '../machine/clock.ts';
import {cpuOf} from '../machine/cpu.ts';
import type {DiskSource} from '../machine/disk-source.ts';
import type {MachineDisk} from '../machine/disks.ts';
import type {EffectiveMachine} from '../machine/effective-machine.ts';
import {featuresOf} from '../machine/features.ts';
import type {MachineInterface} from '../machine/interfaces.ts';
import {masqueradeAddresses} from '../machine/masquerade.ts';

const GiB = 1024 ** 3;

export const nic = (overrides: Partial<MachineInterface> = {}): MachineInterface => ({
  name: 'default',
  model: 'virtio',
  mac: '02:00:00:00:00:01',
  mtu: 1450,
  tap: 'tap0',
  vhost: false,
  addresses: masqueradeAddresses(undefined),
  ports: [],
  acpiIndex: undefined,
  isLinkUp: true,
  dhcpOptions: {},
  ...overrides,
});

const seed: DiskSource = {
  from: 'seed',
  label: 'cidata',
  entries: [{name: 'user-data', from: {base64: ''}}],
};

/** A virtio disk that says nothing else. */
export const disk = (name: string, source: DiskSource, overrides: Partial<MachineDisk> = {}): MachineDisk => ({
  name,
  kind: 'disk',
  bus: 'virtio',
  readOnly: false,
  cache: 'writeback',
  io: 'threads',
  errorPolicy: 'stop',
  ioThreads: [],
  target: 'vda',
  source,
  ...overrides,
});

/** A machine with one disk of each kind and one interface. */
export const machine = (overrides: Partial<EffectiveMachine> = {}): EffectiveMachine => ({
  id: 'run-1',
  namespace: 'default',
  name: 'guest',
  hostname: 'guest',
  uuid: '5d307ca9-b3ef-828c-8861-06e72d69f223',
  accelerator: 'tcg',
  topology: {sockets: 1, cores: 2, threads: 1},
  cpu: cpuOf({}),
  features: featuresOf(),
  clock: clockOf(),
  loader: {kind: 'bios', onSerial: false},
  labels: {},
  memoryBytes: GiB,
  disks: [
    disk('root', {from: 'image', backing: '/run/wherry-volumes/root/disk'}, {target: 'vda'}),
    disk(
      'data',
      {from: 'claim', path: '/run/wherry-volumes/data/disk.img', bytes: GiB},
      {target: 'vdb', cache: 'auto'},
    ),
    disk('scratch', {from: 'empty', bytes: 2 * GiB}, {target: 'vdc'}),
    disk('seed', seed, {target: 'sda', kind: 'cdrom', bus: 'sata', readOnly: true}),
  ],
  interfaces: [nic()],
  devices: {balloon: true, serialConsole: true, inputs: [], pciPanic: false},
  logConsole: true,
  startPaused: false,
  rebootPolicy: 'Reboot',
  graceSeconds: 30,
  ...overrides,
});
