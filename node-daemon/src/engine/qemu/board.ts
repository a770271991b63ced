import type {EffectiveMachine} from '../../machine/effective-machine.ts';
import type {MachineLabels} from '../../machine/firmware.ts';
import {type Args, escaped, json} from './args.ts';
import {boardTimers, clockArgs} from './clock.ts';
import {loaderOptions} from './firmware.ts';
import {machineTypeOf} from './machine-type.ts';

/**
 * Memory is anonymous, so that it lies on huge pages where the node has them for programs that ask (QEMU does). QEMU maps a memfd
 * at an address at which no huge page fits: measured with KVM, a guest then takes 57 times as many page faults to boot.
 */
export const boardArgs = (machine: EffectiveMachine, now: number): Args => {
  const {sockets, cores, threads} = machine.topology;
  return [
    '-machine',
    machineOptions(machine).join(','),
    ...json('-object', {'qom-type': 'memory-backend-ram', id: 'ram0', size: machine.memoryBytes}),
    '-m',
    `size=${machine.memoryBytes / 1024}k`,
    '-smp',
    `${sockets * cores * threads},sockets=${sockets},cores=${cores},threads=${threads}`,
    '-uuid',
    machine.uuid,
    ...smbiosArgs(machine.labels),
    ...clockArgs(machine, now),
    // A sleeping guest could be woken by nobody.
    '-global',
    'ICH9-LPC.disable_s3=1',
    '-global',
    'ICH9-LPC.disable_s4=1',
  ];
};

/** What a machine has none of stays away from the command line: machines of before keep theirs to the letter. */
const machineOptions = (machine: EffectiveMachine): readonly string[] => {
  const {hpet, pit} = boardTimers(machine.clock);
  return [
    machineTypeOf(machine),
    `memory-backend=ram0,usb=off,vmport=off,smm=off,hpet=${hpet},dump-guest-core=off`,
    ...(pit ? [] : ['pit=off']),
    ...(machine.features.acpi ? [] : ['acpi=off']),
    ...loaderOptions(machine.loader),
  ];
};

/** What tools in the guest recognise the platform by, and what the user wrote on it. */
const smbiosArgs = ({serial, chassis}: MachineLabels): Args => [
  '-smbios',
  `type=1,manufacturer=KubeVirt,product=Wherry,family=KubeVirt${smbiosFields({serial})}`,
  ...(chassis === undefined ? [] : ['-smbios', `type=3${smbiosFields(chassis)}`]),
];

const smbiosFields = (fields: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `,${name}=${escaped(value ?? '')}`)
    .join('');
