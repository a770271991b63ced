import type {Refusals} from '../../schema/index.ts';

const NODE_POLICY =
  'leave it out, and keep CPUs free for the guest by equal cpu requests and limits on a node of its own';

/** Fields of the machine beside its devices. */
export const domainRefusals: Refusals = {
  'domain.cpu.dedicatedCpuPlacement': {type: 'boolean', instead: NODE_POLICY},
  'domain.cpu.isolateEmulatorThread': {type: 'boolean', instead: NODE_POLICY},
  'domain.cpu.maxSockets': {type: 'integer', instead: 'change domain.cpu.sockets and restart the machine'},
  'domain.cpu.numa': {type: 'object', instead: 'leave it out: the guest has one NUMA node'},
  'domain.cpu.realtime': {type: 'marker', instead: NODE_POLICY},
  'domain.features.apic.enabled': {type: 'boolean', pass: true, instead: 'leave it out: every guest has an APIC'},
  'domain.features.smm': {type: 'marker', instead: 'leave it out: it serves secure boot, which there is not'},
  'domain.firmware.acpi': {type: 'object', instead: 'leave it out and enter the licence inside the guest'},
  'domain.firmware.bootloader.efi.persistent': {
    type: 'boolean',
    instead: 'leave it out: what the guest keeps in its UEFI variables is gone with the run',
  },
  'domain.launchSecurity': {type: 'object', instead: 'leave it out: guests with encrypted memory cannot be run'},
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
