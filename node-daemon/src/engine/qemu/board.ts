import type {EffectiveMachine} from '../../machine/effective-machine.ts';
import {type Args, json} from './args.ts';
import {clockArgs} from './clock.ts';
import {QEMU_MACHINE_TYPE} from './machine-type.ts';

/** Memory is a shared memfd, so that vhost and later a successor process can map it. */
export const boardArgs = ({uuid, topology: {sockets, cores, threads}, memoryBytes}: EffectiveMachine): Args => [
  '-machine',
  `${QEMU_MACHINE_TYPE},memory-backend=ram0,usb=off,vmport=off,smm=off,hpet=off,dump-guest-core=off`,
  ...json('-object', {'qom-type': 'memory-backend-memfd', id: 'ram0', size: memoryBytes, share: true}),
  '-m',
  `size=${memoryBytes / 1024}k`,
  '-smp',
  `${sockets * cores * threads},sockets=${sockets},cores=${cores},threads=${threads}`,
  '-uuid',
  uuid,
  // What tools in the guest recognise the platform by.
  '-smbios',
  'type=1,manufacturer=KubeVirt,product=Wherry,family=KubeVirt',
  ...clockArgs(),
  // A sleeping guest could be woken by nobody.
  '-global',
  'ICH9-LPC.disable_s3=1',
  '-global',
  'ICH9-LPC.disable_s4=1',
];
