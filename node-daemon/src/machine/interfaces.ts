/** The network interfaces of an effective machine. */
import type {DhcpOptions, EffectiveInterface, EffectiveSpec, InterfaceModel} from '@wherry/api';
import {type MasqueradeAddresses, masqueradeAddresses} from './masquerade.ts';

/** Ports of the guest that the pod forwards, from one number to another. */
export interface PortSpan {
  readonly protocol: 'TCP' | 'UDP';
  readonly start: number;
  readonly end: number;
}

export interface MachineInterface {
  readonly name: string;
  readonly model: InterfaceModel;
  /** Lower case, with colons. */
  readonly mac: string;
  /** Bytes, that of the pod's network. */
  readonly mtu: number;
  /** The tap in the pod's network namespace. */
  readonly tap: string;
  readonly bootOrder?: number;
  /** The node offers vhost-net for it. */
  readonly vhost: boolean;
  readonly addresses: MasqueradeAddresses;
  /** Forwarded to the guest; all where there are none. */
  readonly ports: readonly PortSpan[];
  /** Of the firmware's name for it, from 1; undefined where it has none. */
  readonly acpiIndex: number | undefined;
  /** Whether the guest sees its cable plugged in. */
  readonly isLinkUp: boolean;
  /** What the guest is told by DHCP beyond its address; empty where that is nothing. */
  readonly dhcpOptions: DhcpOptions;
}

/** What node and pod give to every interface. */
export interface LinkFacts {
  /** Bytes, of the pod's eth0. */
  readonly mtu: number;
  readonly vhost: boolean;
}

export const interfacesOf = (spec: EffectiveSpec, facts: LinkFacts): readonly MachineInterface[] =>
  spec.domain.devices.interfaces.map((one: EffectiveInterface, index) => {
    const network = spec.networks.find(({name}) => name === one.name);
    return {
      name: one.name,
      model: one.model,
      mac: one.macAddress,
      mtu: facts.mtu,
      tap: `tap${index}`,
      // Only a virtio device has queues that the kernel can serve.
      vhost: facts.vhost && one.model === 'virtio',
      addresses: masqueradeAddresses(network?.pod?.vmNetworkCIDR),
      ports: portSpans(one),
      acpiIndex: one.acpiIndex === 0 ? undefined : one.acpiIndex,
      isLinkUp: one.state !== 'down',
      dhcpOptions: one.dhcpOptions ?? {},
      ...(one.bootOrder === undefined ? {} : {bootOrder: one.bootOrder}),
    };
  });

const portSpans = ({ports = [], portRanges = []}: EffectiveInterface): readonly PortSpan[] => [
  ...ports.map(({protocol, port}) => ({protocol, start: port, end: port})),
  ...portRanges.map(({protocol, start, end}) => ({protocol, start, end})),
];
