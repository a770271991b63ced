/** The network interfaces of an effective machine. */
import type {EffectiveInterface, EffectiveSpec} from '@wherry/api';

export interface MachineInterface {
  readonly name: string;
  /** Lower case, with colons. */
  readonly mac: string;
  /** Bytes, that of the pod's network. */
  readonly mtu: number;
  /** The tap in the pod's network namespace. */
  readonly tap: string;
  readonly bootOrder?: number;
  /** The node offers vhost-net for it. */
  readonly vhost: boolean;
  /** Forwarded to the guest; all where there are none. */
  readonly ports: readonly {readonly protocol: 'TCP' | 'UDP'; readonly port: number}[];
}

/** What node and pod give to every interface. */
export interface LinkFacts {
  /** Bytes, of the pod's eth0. */
  readonly mtu: number;
  readonly vhost: boolean;
}

export const interfacesOf = (spec: EffectiveSpec, facts: LinkFacts): readonly MachineInterface[] =>
  spec.domain.devices.interfaces.map((one: EffectiveInterface, index) => ({
    name: one.name,
    mac: one.macAddress,
    mtu: facts.mtu,
    tap: `tap${index}`,
    vhost: facts.vhost,
    ports: (one.ports ?? []).map(({protocol, port}) => ({protocol, port})),
  }));
