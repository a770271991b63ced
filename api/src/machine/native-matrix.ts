/**
 * The matrix of the native engine: which instances it can run. Operator and node-daemon decide by it, and the reference shows
 * it. Pure.
 */
import type {Disk, InstanceSpec, VirtualMachineInstance} from '../v1/index.ts';
import {cpuFeatures, namedCpuModel} from './cpu.ts';
import {cpuTopology, effectiveSpec, type EffectiveSpec, guestMemoryBytes, vcpuCount} from './effective.ts';
import {inputsOf, videoType} from './graphics.ts';
import {hasHypervPassthrough, hypervFeatures} from './hyperv.ts';
import {firmwareUuidOf, machineUid} from './identity.ts';
import {namedMachineType} from './machine-type.ts';

/**
 * Version of the matrix, which a node-daemon that drives it puts on its node: a higher one for each rule that falls, so that
 * no daemon is given a machine that it does not know how to make.
 */
export const NATIVE_MATRIX_VERSION = '1';

/** What a rule looks at. */
interface Asked {
  /** With everything filled in that is derived. */
  readonly spec: EffectiveSpec;
  /** What addresses are derived from. */
  readonly uid: string;
}

export interface MatrixRule {
  /** Path below the instance's spec. */
  readonly field: string;
  /** What lies inside, for the reference. */
  readonly inside: string;
  /** What lies outside of it in this instance, in words that follow "the native engine has no"; undefined where nothing does. */
  readonly outside: (asked: Asked) => string | undefined;
}

const MiB = 1024 ** 2;
const MAX_VCPUS = 254;
const MIN_MEMORY = 32 * MiB;
const MAX_MEMORY = 1024 ** 4;
const MAX_BLOCK = 32_768;
/** Root ports, less four that stay free and that of the entropy device. */
export const NATIVE_MAX_DEVICES = 26;

interface Switch {
  readonly enabled?: boolean;
}
interface Presence {
  readonly present?: boolean;
}

const isOff = (one: Switch | undefined): boolean => one?.enabled === false;
const isPresent = (one: Presence | undefined): boolean => one !== undefined && one.present !== false;

/** A text where the condition holds. */
const when = (condition: boolean, text: string): string | undefined => (condition ? text : undefined);

/** The names of the disks for which it holds, behind these words. */
const ofDisks = ({spec}: Asked, what: string, holds: (disk: Disk) => boolean): string | undefined => {
  const names = spec.domain.devices.disks.filter(holds).map(({name}) => name);
  return when(names.length > 0, `${what} (${names.join(', ')})`);
};

type Volume = NonNullable<InstanceSpec['volumes']>[number];

const volumeOf = ({spec}: Asked, {name}: Disk): Volume | undefined => spec.volumes?.find(one => one.name === name);

const busOf = ({disk}: Disk): string => disk?.bus ?? 'virtio';

const boot: readonly MatrixRule[] = [
  {
    field: 'domain.firmware.kernelBoot',
    inside: 'with a container: Linux, started by its kernel (bzImage or ELF with a PVH entry)',
    outside: ({spec}) =>
      when(spec.domain.firmware.kernelBoot?.container === undefined, 'firmware: it boots a kernelBoot alone'),
  },
  {
    field: 'domain.firmware.bootloader',
    inside: 'neither UEFI nor bios.useSerial',
    outside: ({spec: {domain}}) =>
      when(
        domain.firmware.bootloader?.efi !== undefined || domain.firmware.bootloader?.bios?.useSerial === true,
        'boot loader',
      ),
  },
  {
    field: 'domain.firmware.uuid, domain.firmware.serial, domain.chassis',
    inside: 'left out: there is no SMBIOS to show them in',
    outside: ({spec: {domain}, uid}) =>
      when(
        domain.firmware.uuid !== firmwareUuidOf(uid) ||
          (domain.firmware.serial ?? '') !== '' ||
          Object.values(domain.chassis ?? {}).some(text => text !== ''),
        'SMBIOS, to show the uuid and serial of the firmware or a chassis',
      ),
  },
  {
    field: 'domain.machine.type',
    inside: 'left out, or q35',
    outside: ({spec}) => when(namedMachineType(spec.domain.machine?.type) !== undefined, 'machine type of QEMU'),
  },
];

const processor: readonly MatrixRule[] = [
  {
    field: 'domain.cpu.model',
    inside: 'left out, host-model or host-passthrough: the CPU of the node',
    outside: ({spec: {domain}}) => {
      const model = namedCpuModel(domain.cpu);
      return when(model !== undefined, `CPU model (${model})`);
    },
  },
  {
    field: 'domain.cpu.features',
    inside: 'none',
    outside: ({spec}) => when(cpuFeatures(spec.domain).length > 0, 'switches for CPU features'),
  },
  {
    field: 'domain.cpu.cores, sockets, threads',
    inside: `1 to ${MAX_VCPUS} cores of one socket, with one thread each`,
    outside: ({spec: {domain}}) => {
      const {sockets, threads} = cpuTopology(domain);
      return when(sockets > 1 || threads > 1 || vcpuCount(domain) > MAX_VCPUS, 'topology but cores of one socket');
    },
  },
  {
    field: 'domain.memory.guest',
    inside: '32Mi to 1Ti',
    outside: ({spec}) => {
      const bytes = guestMemoryBytes(spec.domain);
      return when(bytes < MIN_MEMORY || bytes > MAX_MEMORY, 'room for less than 32Mi or more than 1Ti of memory');
    },
  },
  {
    field: 'domain.features',
    inside: 'acpi, apic',
    outside: ({spec: {domain}}) => {
      const features = domain.features ?? {};
      return (
        when(isOff(features.acpi), 'machine without ACPI') ??
        when(hypervFeatures(features).size > 0 || hasHypervPassthrough(features), 'features of Hyper-V') ??
        when(features.kvm?.hidden === true, 'way to hide KVM') ??
        when(features.pvspinlock !== undefined, 'switch for pvspinlock')
      );
    },
  },
  {
    field: 'domain.clock',
    inside: 'UTC; timers kvm, and rtc as it is by default',
    outside: ({spec: {domain}}) => {
      const {utc, timezone = '', timer = {}} = domain.clock ?? {};
      const {rtc} = timer;
      return (
        when((utc?.offsetSeconds ?? 0) !== 0 || timezone !== '', 'clock but UTC') ??
        when(isPresent(timer.hpet) || isPresent(timer.pit), 'HPET and no PIT') ??
        when(timer.hyperv !== undefined && isPresent(timer.hyperv), "clock of Hyper-V's") ??
        when(timer.kvm?.present === false, "way to take KVM's clock away") ??
        when(rtc?.tickPolicy === 'delay' || rtc?.track === 'guest', 'choice of how its real-time clock ticks')
      );
    },
  },
];

const devices: readonly MatrixRule[] = [
  {
    field: 'domain.devices.autoattachGraphicsDevice, video, inputs',
    inside: 'none',
    outside: ({spec: {domain}}) =>
      when(videoType(domain) !== undefined || inputsOf(domain.devices).length > 0, 'graphics card and no tablet'),
  },
  {
    field: 'domain.devices.watchdog, sound, panicDevices',
    inside: 'none but a panic device of the model isa, which every guest has',
    outside: ({spec: {domain}}) =>
      when(domain.devices.watchdog !== undefined, 'watchdog') ??
      when(domain.devices.sound !== undefined, 'sound card') ??
      when(
        (domain.devices.panicDevices ?? []).some(({model}) => model === 'pvpanic'),
        'panic device on PCI',
      ),
  },
  {
    field: 'domain.devices.autoattachMemBalloon',
    inside: 'left out or false: guests have no balloon, and do not say how they use their memory',
    outside: ({spec}) => when(spec.domain.devices.autoattachMemBalloon === true, 'balloon'),
  },
  {
    field: 'domain.devices.autoattachSerialConsole',
    inside: 'left out or true',
    outside: ({spec}) => when(spec.domain.devices.autoattachSerialConsole === false, 'machine without a serial port'),
  },
  {
    field: 'domain.devices.disks, interfaces',
    inside: `${NATIVE_MAX_DEVICES} together`,
    outside: ({spec: {domain}}) =>
      when(
        domain.devices.disks.length + domain.devices.interfaces.length > NATIVE_MAX_DEVICES,
        `room for more than ${NATIVE_MAX_DEVICES} disks and interfaces`,
      ),
  },
];

const disks: readonly MatrixRule[] = [
  {
    field: 'domain.devices.disks[].disk.bus',
    inside: 'virtio',
    outside: asked =>
      ofDisks(
        asked,
        'bus for disks but virtio, and no cdroms',
        disk => disk.cdrom !== undefined || busOf(disk) !== 'virtio',
      ),
  },
  {
    field: 'volumes[]',
    inside:
      'persistentVolumeClaim, emptyDisk, and all that is made of text (cloudInitNoCloud, cloudInitConfigDrive, configMap, secret, downwardAPI, serviceAccount, sysprep). ' +
      'Not containerDisk and ephemeral: what a guest writes over them is kept in a qcow2 overlay',
    outside: asked =>
      ofDisks(asked, 'overlays over the images of containerDisk and ephemeral volumes', disk => {
        const volume = volumeOf(asked, disk);
        return volume?.containerDisk !== undefined || volume?.ephemeral !== undefined;
      }),
  },
  {
    field: 'domain.devices.disks[].blockSize.custom.logical',
    inside: '512 to 32768',
    outside: asked =>
      ofDisks(asked, 'blocks of more than 32 KiB', disk => (disk.blockSize?.custom?.logical ?? 0) > MAX_BLOCK),
  },
  {
    field: 'domain.ioThreadsPolicy',
    inside: 'all but supplementalPool: each disk has a thread of its own',
    outside: ({spec}) =>
      when(spec.domain.ioThreadsPolicy === 'supplementalPool', 'disks that are served by several threads'),
  },
];

const network: readonly MatrixRule[] = [
  {
    field: 'domain.devices.interfaces[].model',
    inside: 'virtio',
    outside: ({spec: {domain}}) => {
      const others = domain.devices.interfaces.filter(({model}) => model !== 'virtio').map(({name}) => name);
      return when(others.length > 0, `card but virtio (${others.join(', ')})`);
    },
  },
  {
    field: 'domain.devices.interfaces[].acpiIndex',
    inside: 'left out',
    outside: ({spec: {domain}}) =>
      when(
        domain.devices.interfaces.some(({acpiIndex = 0}) => acpiIndex !== 0),
        'names by acpiIndex',
      ),
  },
];

/** In the order in which people are told. */
export const nativeMatrix: readonly MatrixRule[] = [...boot, ...processor, ...devices, ...disks, ...network];

/** Why the native engine cannot run this instance, each reason a text of its own; none where it can, with KVM. */
export const outsideNativeMatrix = (vmi: Pick<VirtualMachineInstance, 'metadata' | 'spec'>): readonly string[] => {
  const uid = machineUid(vmi);
  const asked = {spec: effectiveSpec(vmi.spec, uid), uid};
  return nativeMatrix.flatMap(({outside}) => outside(asked) ?? []);
};
