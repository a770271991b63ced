import {expect, test} from '@jest/globals';
import {instance, UID} from '../testing/instances.ts';
import {effectiveMachine, type NodeFacts} from './effective-machine.ts';

const facts: NodeFacts = {accelerator: 'tcg', mtu: 1450, vhost: false};

test('a plain instance becomes a machine with one CPU and the network of the pod', () => {
  const machine = effectiveMachine(instance(), facts);
  expect(machine).toMatchObject({
    id: UID,
    name: 'guest',
    hostname: 'guest',
    accelerator: 'tcg',
    topology: {sockets: 1, cores: 1, threads: 1},
    memoryBytes: 256 * 1024 * 1024,
    disks: [],
    graceSeconds: 30,
  });
  expect(machine.interfaces).toEqual([
    expect.objectContaining({name: 'default', mac: expect.stringMatching(/^02(:[0-9a-f]{2}){5}$/), vhost: false}),
  ]);
});

const owned = (uid: string) =>
  instance({
    metadata: {
      uid,
      ownerReferences: [
        {apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name: 'guest', uid: 'vm', controller: true},
      ],
    },
  });

test('identity comes from the VirtualMachine, so that it lasts from run to run', () => {
  const first = effectiveMachine(owned('run-1'), facts);
  const second = effectiveMachine(owned('run-2'), facts);
  expect(second.uuid).toBe(first.uuid);
  expect(second.interfaces).toEqual(first.interfaces);
  expect(second.id).not.toBe(first.id);
});

test('memory is rounded up to whole MiB', () => {
  const machine = effectiveMachine(instance({domain: {memory: {guest: 100_000_000}}}), facts);
  expect(machine.memoryBytes).toBe(96 * 1024 * 1024);
});

test('a kernel is found in the folder of its image', () => {
  const kernelBoot = {
    kernelArgs: 'console=ttyS0',
    container: {image: 'k', kernelPath: '/boot/vmlinux', initrdPath: 'boot/initrd'},
  };
  const machine = effectiveMachine(instance({domain: {memory: {guest: '1Gi'}, firmware: {kernelBoot}}}), facts);
  expect(machine.kernel).toEqual({
    kernel: '/run/wherry-kernel/boot/vmlinux',
    initrd: '/run/wherry-kernel/boot/initrd',
    args: 'console=ttyS0',
  });
});

test('devices, console, start and reboot are as KubeVirt has them where nothing is said', () => {
  expect(effectiveMachine(instance(), facts)).toMatchObject({
    devices: {balloon: true, serialConsole: true, inputs: [], pciPanic: false},
    logConsole: true,
    startPaused: false,
    rebootPolicy: 'Reboot',
  });
});

test('where the cluster keeps consoles out of logs, an instance may still ask for its own', () => {
  const quiet = {...facts, logConsole: false};
  const asking = instance({domain: {memory: {guest: '256Mi'}, devices: {logSerialConsole: true}}});
  expect(effectiveMachine(instance(), quiet).logConsole).toBe(false);
  expect(effectiveMachine(asking, quiet).logConsole).toBe(true);
});

test('devices, console, start and reboot are as the spec says', () => {
  const devices = {
    autoattachMemBalloon: false,
    autoattachSerialConsole: false,
    logSerialConsole: false,
    autoattachInputDevice: true,
    video: {type: 'virtio'},
  } as const;
  const vmi = instance({
    domain: {memory: {guest: '256Mi'}, devices, rebootPolicy: 'Terminate'},
    spec: {startStrategy: 'Paused', domain: {memory: {guest: '256Mi'}, devices, rebootPolicy: 'Terminate'}},
  });
  expect(effectiveMachine(vmi, facts)).toMatchObject({
    devices: {balloon: false, serialConsole: false, video: 'virtio', inputs: [{name: 'default-0', bus: 'usb'}]},
    logConsole: false,
    startPaused: true,
    rebootPolicy: 'Terminate',
  });
});

const machineWith = (devices: object) =>
  effectiveMachine(instance({domain: {memory: {guest: '256Mi'}, devices}}), facts).devices;

test('small devices have KubeVirt’s defaults where they are asked for', () => {
  expect(machineWith({watchdog: {name: 'dog'}, sound: {name: 'card'}, panicDevices: [{}]})).toMatchObject({
    watchdog: 'reset',
    sound: 'ich9',
    pciPanic: false,
  });
  expect(
    machineWith({
      watchdog: {name: 'dog', i6300esb: {action: 'poweroff'}},
      sound: {name: 'card', model: 'ac97'},
      panicDevices: [{model: 'isa'}, {model: 'pvpanic'}],
    }),
  ).toMatchObject({watchdog: 'poweroff', sound: 'ac97', pciPanic: true});
});
