/** What a plan says whatever engine it is for. */
import {type DhcpAnswer, type Plan, PodLayout} from '@wherry/api';
import type {EffectiveMachine} from '../machine/effective-machine.ts';
import type {MachineDisk} from '../machine/disks.ts';
import type {MachineInterface} from '../machine/interfaces.ts';
import {CARD_PREFIX} from './device-names.ts';

/** The name of the descriptor by which the device of a disk is handed over; undefined for a disk without one. */
export const deviceDescriptor = ({source}: MachineDisk, index: number): string | undefined =>
  source.from === 'device' || source.from === 'ephemeralDevice' ? `disk${index}` : undefined;

/** Names of the descriptors that disks travel with. */
export const diskDescriptors = (disks: readonly MachineDisk[]): readonly string[] =>
  disks.flatMap((disk, index) => deviceDescriptor(disk, index) ?? []);

/** Names of the descriptors that one interface travels with. */
export const interfaceDescriptors = (one: MachineInterface, index: number): readonly string[] => [
  `tap${index}`,
  ...(one.vhost ? [`vhost${index}`] : []),
  `dhcp${index}`,
];

export const cardName = ({name}: Pick<MachineInterface, 'name'>): string => `${CARD_PREFIX}${name}`;

/** A guest whose link is down must not see it up first, so this is done before it runs. */
export const linkCommands = (interfaces: readonly MachineInterface[]): NonNullable<Plan['engine']['setup']> =>
  interfaces
    .filter(({isLinkUp}) => !isLinkUp)
    .map(one => ({execute: 'set_link', arguments: {name: cardName(one), up: false}}));

/** Left out where there is nothing to do: a launcher of before does not know it. */
export const planSetup = ({interfaces}: EffectiveMachine): Pick<Plan['engine'], 'setup'> => {
  const commands = linkCommands(interfaces);
  return commands.length === 0 ? {} : {setup: commands};
};

export const dhcpAnswers = ({interfaces, hostname, subdomain}: EffectiveMachine): readonly DhcpAnswer[] =>
  interfaces.map((one, index) => ({
    interface: one.name,
    socket: `dhcp${index}`,
    mac: one.mac,
    address: one.addresses.guest,
    prefixLength: one.addresses.prefixLength,
    router: one.addresses.gateway,
    mtu: one.mtu,
    hostname,
    resolvConf: PodLayout.resolvConf,
    ...(subdomain === undefined ? {} : {subdomain}),
    ...leaseOptions(one),
  }));

/** Nothing where nothing is asked for: launchers that know no options take such a plan too. */
const leaseOptions = ({dhcpOptions}: MachineInterface): Pick<DhcpAnswer, 'options'> => {
  const said = Object.entries(dhcpOptions).filter(([, value]) => value.length > 0);
  return said.length === 0 ? {} : {options: Object.fromEntries(said)};
};
