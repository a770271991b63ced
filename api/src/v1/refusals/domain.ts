import type {Refusals} from '../../schema/index.ts';

const HOST_CPU = 'leave it out: the guest sees the CPU of its node';
const HYPERV = 'leave it out: the guest sees the features that the hypervisor gives to every guest';
const NODE_POLICY =
  'leave it out, and keep CPUs free for the guest by equal cpu requests and limits on a node of its own';

/** Fields of the machine beside its devices. */
export const domainRefusals: Refusals = {
  'domain.chassis': {type: 'object', instead: 'leave it out: the guest sees the chassis of Wherry'},
  'domain.clock.timer': {type: 'object', instead: 'leave it out: the guest has the timers that suit its hypervisor'},
  'domain.clock.timezone': {
    type: 'string',
    pass: ['UTC'],
    instead: 'set the time zone inside the guest: its clock is UTC',
  },
  'domain.clock.utc.offsetSeconds': {type: 'integer', instead: 'set the time zone inside the guest: its clock is UTC'},
  'domain.cpu.dedicatedCpuPlacement': {type: 'boolean', instead: NODE_POLICY},
  'domain.cpu.features': {type: 'list', instead: HOST_CPU},
  'domain.cpu.isolateEmulatorThread': {type: 'boolean', instead: NODE_POLICY},
  'domain.cpu.maxSockets': {type: 'integer', instead: 'change domain.cpu.sockets and restart the machine'},
  'domain.cpu.model': {type: 'string', pass: ['host-model', 'host-passthrough'], instead: HOST_CPU},
  'domain.cpu.numa': {type: 'object', instead: 'leave it out: the guest has one NUMA node'},
  'domain.cpu.realtime': {type: 'marker', instead: NODE_POLICY},
  'domain.features.acpi.enabled': {type: 'boolean', pass: true, instead: 'leave it out: every guest has ACPI'},
  'domain.features.apic.enabled': {type: 'boolean', pass: true, instead: 'leave it out: every guest has an APIC'},
  'domain.features.apic.endOfInterrupt': {type: 'boolean', instead: HYPERV},
  'domain.features.hyperv': {type: 'object', instead: HYPERV},
  'domain.features.hypervPassthrough': {type: 'marker', instead: HYPERV},
  'domain.features.kvm.hidden': {type: 'boolean', instead: 'leave it out: the guest may know that it is one'},
  'domain.features.pvspinlock.enabled': {type: 'boolean', pass: true, instead: HYPERV},
  'domain.features.smm': {type: 'marker', instead: 'leave it out: it serves secure boot, which there is not'},
  'domain.firmware.acpi': {type: 'object', instead: 'leave it out and enter the licence inside the guest'},
  'domain.firmware.bootloader.bios.useSerial': {
    type: 'boolean',
    instead: 'leave it out: messages of the boot loader of the guest are on its serial console',
  },
  'domain.firmware.bootloader.efi': {
    type: 'marker',
    instead: 'use an image that boots from a BIOS, or start its kernel by domain.firmware.kernelBoot',
  },
  'domain.firmware.serial': {type: 'string', instead: 'identify the machine by domain.firmware.uuid'},
  'domain.ioThreads': {type: 'object', instead: 'leave it out: how disks are served is chosen for you'},
  'domain.ioThreadsPolicy': {type: 'string', instead: 'leave it out: how disks are served is chosen for you'},
  'domain.launchSecurity': {type: 'object', instead: 'leave it out: guests with encrypted memory cannot be run'},
  'domain.machine.type': {type: 'string', pass: ['q35'], instead: 'leave it out: the machine is a q35'},
  'domain.memory.hugepages': {
    type: 'object',
    instead: 'leave it out: transparent huge pages are used where the node has them',
  },
  'domain.memory.maxGuest': {type: 'quantity', instead: 'change domain.memory.guest and restart the machine'},
  'domain.memory.reservedOverhead': {
    type: 'object',
    instead: 'ask for more memory in domain.resources.requests than domain.memory.guest',
  },
  'domain.resources.overcommitGuestOverhead': {
    type: 'boolean',
    instead: 'ask for less memory in domain.resources.requests',
  },
};
