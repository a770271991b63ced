import {type DhcpAnswer, PodLayout} from '@wherry/api';
import type {EffectiveMachine} from '../../machine/effective-machine.ts';
import type {MachineInterface} from '../../machine/interfaces.ts';
import {masquerade} from '../../machine/masquerade.ts';
import {type Args, descriptor, json} from './args.ts';

/** Names of the descriptors that one interface travels with. */
export const interfaceDescriptors = (one: MachineInterface, index: number): readonly string[] => [
  `tap${index}`,
  ...(one.vhost ? [`vhost${index}`] : []),
  `dhcp${index}`,
];

/** The guest learns its MTU from the device (virtio) and by DHCP. No boot ROM: guests boot from disks. */
export const interfaceArgs = (interfaces: readonly MachineInterface[], port: () => string): Args =>
  interfaces.flatMap((one, index) => [
    ...json('-netdev', {
      type: 'tap',
      id: `net${index}`,
      fd: descriptor(`tap${index}`),
      ...(one.vhost ? {vhost: true, vhostfd: descriptor(`vhost${index}`)} : {vhost: false}),
    }),
    ...json('-device', {
      driver: 'virtio-net-pci',
      id: `net-${one.name}`,
      bus: port(),
      netdev: `net${index}`,
      mac: one.mac,
      host_mtu: one.mtu,
      romfile: '',
    }),
  ]);

export const dhcpAnswers = ({interfaces, hostname}: EffectiveMachine): readonly DhcpAnswer[] =>
  interfaces.map((one, index) => ({
    interface: one.name,
    socket: `dhcp${index}`,
    mac: one.mac,
    address: masquerade.guest,
    prefixLength: masquerade.prefixLength,
    router: masquerade.gateway,
    mtu: one.mtu,
    hostname,
    resolvConf: PodLayout.resolvConf,
  }));
