import type {InterfaceModel} from '@wherry/api';
import type {MachineInterface} from '../../machine/interfaces.ts';
import {cardName} from '../plan-parts.ts';
import {type Args, descriptor, json} from './args.ts';

interface Card {
  readonly driver: string;
  /** A conventional PCI device, which cannot be plugged into a PCI Express port. */
  readonly isConventional?: boolean;
}

const cards: Readonly<Record<InterfaceModel, Card>> = {
  virtio: {driver: 'virtio-net-pci'},
  e1000e: {driver: 'e1000e'},
  igb: {driver: 'igb'},
  e1000: {driver: 'e1000', isConventional: true},
  rtl8139: {driver: 'rtl8139', isConventional: true},
  ne2k_pci: {driver: 'ne2k_pci', isConventional: true},
  pcnet: {driver: 'pcnet', isConventional: true},
};

const CONVENTIONAL_BUS = 'pci';

/** Where cards are plugged in: each into a port of its own, conventional ones side by side behind one that bridges. */
const slots = (port: () => string): ((card: Card) => {readonly bridge: Args; readonly slot: object}) => {
  let conventional = 0;
  return ({isConventional = false}) => {
    if (!isConventional) return {bridge: [], slot: {bus: port()}};
    const bridge =
      conventional === 0 ? json('-device', {driver: 'pcie-pci-bridge', id: CONVENTIONAL_BUS, bus: port()}) : [];
    conventional += 1;
    // Its slot 0 is kept for the bridge's own hotplug controller.
    return {bridge, slot: {bus: CONVENTIONAL_BUS, addr: `0x${conventional.toString(16)}.0x0`}};
  };
};

/** QEMU finds the ROM of the card by itself; without a place in the boot order the guest is spared it. */
const boot = (bootIndex: number | undefined): object =>
  bootIndex === undefined ? {romfile: ''} : {bootindex: bootIndex};

/** The guest learns its MTU from the device (virtio) and by DHCP. */
export const interfaceArgs = (
  interfaces: readonly MachineInterface[],
  bootIndices: readonly (number | undefined)[],
  port: () => string,
): Args => {
  const plugIn = slots(port);
  return interfaces.flatMap((one, index) => {
    const card = cards[one.model];
    const {bridge, slot} = plugIn(card);
    return [
      ...bridge,
      ...json('-netdev', {
        type: 'tap',
        id: `net${index}`,
        fd: descriptor(`tap${index}`),
        ...(one.vhost ? {vhost: true, vhostfd: descriptor(`vhost${index}`)} : {vhost: false}),
      }),
      ...json('-device', {
        driver: card.driver,
        id: cardName(one),
        ...slot,
        netdev: `net${index}`,
        mac: one.mac,
        ...(one.model === 'virtio' ? {host_mtu: one.mtu} : {}),
        ...boot(bootIndices[index]),
        ...(one.acpiIndex === undefined ? {} : {'acpi-index': one.acpiIndex}),
      }),
    ];
  });
};
