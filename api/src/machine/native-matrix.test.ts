import {expect, test} from '@jest/globals';
import type {Domain, InstanceSpec} from '../v1/index.ts';
import {firmwareUuidOf} from './identity.ts';
import {nativeMatrix, outsideNativeMatrix} from './native-matrix.ts';

type Changes = Omit<Partial<InstanceSpec>, 'domain'> & {readonly domain?: Partial<Domain>};
type Devices = Domain['devices'];

const kernelBoot = {container: {image: 'linux', kernelPath: '/boot/vmlinuz'}};

const reasons = ({domain, ...spec}: Changes = {}): readonly string[] =>
  outsideNativeMatrix({
    metadata: {name: 'guest', uid: 'vm'},
    spec: {
      terminationGracePeriodSeconds: 30,
      domain: {memory: {guest: '128Mi'}, firmware: {kernelBoot}, devices: {}, ...domain},
      ...spec,
    },
  });

test('a guest that boots a kernel of its own, with a claim, a seed and the network of its pod, lies inside', () => {
  expect(reasons()).toEqual([]);
  const volumes = [
    {name: 'root', persistentVolumeClaim: {claimName: 'root'}},
    {name: 'scratch', emptyDisk: {capacity: '1Gi'}},
    {name: 'seed', cloudInitNoCloud: {userData: '#cloud-config'}},
  ];
  const domain: Partial<Domain> = {
    cpu: {cores: 4, model: 'host-passthrough'},
    machine: {type: 'q35'},
    clock: {utc: {}, timer: {rtc: {tickPolicy: 'catchup'}, hpet: {present: false}, pit: {present: false}}},
    features: {acpi: {}, apic: {endOfInterrupt: true}, kvm: {hidden: false}},
    firmware: {kernelBoot, uuid: firmwareUuidOf('vm'), bootloader: {bios: {}}},
    chassis: {asset: ''},
    rebootPolicy: 'Terminate',
    devices: {rng: {}, panicDevices: [{model: 'isa'}], disks: [{name: 'root', dedicatedIOThread: true}]},
    ioThreadsPolicy: 'auto',
  };
  expect(reasons({volumes, domain, startStrategy: 'Paused'})).toEqual([]);
});

const withDevices = (devices: Devices): Changes => ({domain: {devices}});

const table: readonly [what: string, changes: Changes, reason: RegExp][] = [
  ['it boots from its disk', {domain: {firmware: {}}}, /it boots a kernelBoot alone/],
  ['it starts by UEFI', {domain: {firmware: {kernelBoot, bootloader: {efi: {secureBoot: false}}}}}, /boot loader/],
  ['its SeaBIOS writes', {domain: {firmware: {kernelBoot, bootloader: {bios: {useSerial: true}}}}}, /boot loader/],
  ['its uuid is given', {domain: {firmware: {kernelBoot, uuid: firmwareUuidOf('x')}}}, /SMBIOS/],
  ['it has a serial number', {domain: {firmware: {kernelBoot, serial: '7'}}}, /SMBIOS/],
  ['it has a chassis', {domain: {chassis: {asset: '7'}}}, /SMBIOS/],
  ['it names a board', {domain: {machine: {type: 'pc-q35-10.0'}}}, /machine type of QEMU/],
  ['it names a model', {domain: {cpu: {model: 'EPYC'}}}, /CPU model \(EPYC\)/],
  ['it switches a feature', {domain: {cpu: {features: [{name: 'aes'}]}}}, /CPU features/],
  ['it has sockets', {domain: {cpu: {sockets: 2}}}, /cores of one socket/],
  ['it has threads', {domain: {cpu: {threads: 2}}}, /cores of one socket/],
  ['it has a CPU for each of its limit', {domain: {resources: {limits: {cpu: 2}}}}, /cores of one socket/],
  ['it is tiny', {domain: {memory: {guest: '16Mi'}}}, /less than 32Mi/],
  ['it is vast', {domain: {memory: {guest: '2Ti'}}}, /more than 1Ti/],
  ['it has no ACPI', {domain: {features: {acpi: {enabled: false}}}}, /without ACPI/],
  ['it knows Hyper-V', {domain: {features: {hyperv: {relaxed: {}}}}}, /Hyper-V/],
  ['it knows all of Hyper-V', {domain: {features: {hypervPassthrough: {}}}}, /Hyper-V/],
  ['it must not see KVM', {domain: {features: {kvm: {hidden: true}}}}, /hide KVM/],
  ['it chooses its locks', {domain: {features: {pvspinlock: {enabled: false}}}}, /pvspinlock/],
  ['its clock is ahead', {domain: {clock: {utc: {offsetSeconds: 60}}}}, /clock but UTC/],
  ['its clock is local', {domain: {clock: {timezone: 'Europe/Paris'}}}, /clock but UTC/],
  ['it has a HPET', {domain: {clock: {timer: {hpet: {}}}}}, /HPET/],
  ['it has a PIT', {domain: {clock: {timer: {pit: {tickPolicy: 'delay'}}}}}, /PIT/],
  ['it has a clock of Hyper-V', {domain: {clock: {timer: {hyperv: {}}}}}, /Hyper-V/],
  ['it has no clock of KVM', {domain: {clock: {timer: {kvm: {present: false}}}}}, /KVM's clock/],
  ['its clock stands still with it', {domain: {clock: {timer: {rtc: {track: 'guest'}}}}}, /real-time clock/],
  ['it has graphics', withDevices({autoattachGraphicsDevice: true}), /graphics card/],
  ['it has a tablet', withDevices({autoattachInputDevice: true}), /tablet/],
  ['it has a watchdog', withDevices({watchdog: {name: 'dog'}}), /watchdog/],
  ['it has sound', withDevices({sound: {name: 'card'}}), /sound card/],
  ['its bell is on PCI', withDevices({panicDevices: [{model: 'pvpanic'}]}), /panic device on PCI/],
  ['it insists on its balloon', withDevices({autoattachMemBalloon: true}), /balloon/],
  ['it has no console', withDevices({autoattachSerialConsole: false}), /serial port/],
  [
    'it has too many devices',
    {volumes: Array.from({length: 26}, (_, at) => ({name: `v${at}`, emptyDisk: {capacity: '1Gi'}}))},
    /more than 26/,
  ],
  [
    'a disk is on sata',
    {
      domain: {devices: {disks: [{name: 'root', disk: {bus: 'sata'}}]}},
      volumes: [{name: 'root', emptyDisk: {capacity: '1Gi'}}],
    },
    /bus for disks but virtio, and no cdroms \(root\)/,
  ],
  [
    'a seed is on a cdrom',
    {
      domain: {devices: {disks: [{name: 'seed', cdrom: {bus: 'sata', readonly: true}}]}},
      volumes: [{name: 'seed', cloudInitNoCloud: {userData: ''}}],
    },
    /cdroms \(seed\)/,
  ],
  [
    'its blocks are large',
    {
      domain: {devices: {disks: [{name: 'a', blockSize: {custom: {logical: 65_536, physical: 65_536}}}]}},
      volumes: [{name: 'a', emptyDisk: {capacity: '1Gi'}}],
    },
    /blocks of more than 32 KiB \(a\)/,
  ],
  ['a disk is in an image', {volumes: [{name: 'root', containerDisk: {image: 'debian'}}]}, /overlays .*\(root\)/],
  [
    'a disk is ephemeral',
    {volumes: [{name: 'root', ephemeral: {persistentVolumeClaim: {claimName: 'root'}}}]},
    /overlays .*\(root\)/,
  ],
  [
    'threads share a disk',
    {domain: {ioThreadsPolicy: 'supplementalPool', ioThreads: {supplementalPoolThreadCount: 2}}},
    /several threads/,
  ],
  [
    'a card is none of virtio',
    withDevices({interfaces: [{name: 'default', model: 'e1000', masquerade: {}}]}),
    /card but virtio \(default\)/,
  ],
  [
    'a card has its name from ACPI',
    withDevices({interfaces: [{name: 'default', model: 'virtio', masquerade: {}, acpiIndex: 7}]}),
    /acpiIndex/,
  ],
];

test.each(table)('where %s, that alone is said', (_what, {domain, ...spec}, reason) => {
  const found = reasons({domain: {firmware: {kernelBoot}, ...domain}, ...spec});
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(reason);
});

test('each reason is said, in the order of the matrix', () => {
  expect(reasons({domain: {firmware: {}, cpu: {sockets: 2}}})).toHaveLength(2);
});

test('each rule says which field it is about and what lies inside', () => {
  for (const {field, inside} of nativeMatrix) {
    expect(field).not.toBe('');
    expect(inside).not.toBe('');
  }
});
