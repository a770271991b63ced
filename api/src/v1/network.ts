/** Network interfaces, as the guest sees them, and the networks behind them. */
import {
  defaulted,
  enumeration,
  type Infer,
  integer,
  marker,
  object,
  optional,
  type Rule,
  string,
} from '../schema/index.ts';
import {dhcpOptions} from './dhcp-options.ts';
import {portRanges, ports} from './ports.ts';

/** Network cards that QEMU emulates, by the names that KubeVirt gives them. */
export const interfaceModels = ['virtio', 'e1000', 'e1000e', 'igb', 'rtl8139', 'ne2k_pci', 'pcnet'] as const;
export type InterfaceModel = (typeof interfaceModels)[number];

const macAddress = string(
  'MAC address, as 02:1f:e6:00:00:01. Defaults to one derived from the uid of the VirtualMachine, the same at each start.',
  {
    maxLength: 17,
    rules: [
      {
        rule: "self.matches('^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$')",
        message: 'must be six pairs of hexadecimal digits, as 02:1f:e6:00:00:01',
      },
      {
        rule: "!self.matches('^.[13579bBdDfF]')",
        message: 'must not be a group address: the second digit must be even, as in 02:1f:e6:00:00:01',
      },
      {
        rule: "self.replace('-', ':') != '02:00:00:00:00:00'",
        message: '02:00:00:00:00:00 is reserved for the host side: choose another address or leave it out',
        reason: 'FieldValueForbidden',
      },
    ],
  },
);

/** Empty asks for nothing, as where it is left out. */
const state = string(
  'Whether the link is up or down: a guest sees a cable that is plugged in or not. Defaults to up.',
  {
    maxLength: 16,
    rules: [
      {
        rule: "self in ['', 'up', 'down', 'absent']",
        message: 'must be up or down',
      },
      {
        rule: "self != 'absent'",
        message:
          'domain.devices.interfaces[].state: absent is not supported: remove the interface and its network, and restart the machine',
        reason: 'FieldValueForbidden',
      },
    ],
  },
);

/** QEMU has no boot ROM for it. */
const bootRules: readonly Rule[] = [
  {
    rule: "!has(self.bootOrder) || self.model != 'igb'",
    message: 'an igb card has no boot ROM: use the model e1000e or virtio to boot from the network',
    fieldPath: '.bootOrder',
  },
];

export const guestInterface = object(
  'A network interface of the guest.',
  {
    name: string('Name of the network behind the interface.', {
      minLength: 1,
      maxLength: 63,
      rules: [
        {
          rule: "self.matches('^[A-Za-z0-9_-]+$')",
          message: 'must be letters, digits, dashes and underscores, as "default"',
        },
      ],
    }),
    model: defaulted(
      enumeration(
        'The card that the guest sees. virtio is the fastest; the others are for guests without its driver.',
        [...interfaceModels],
      ),
      'virtio',
    ),
    macAddress: optional(macAddress),
    state: optional(state),
    bootOrder: optional(
      integer(
        'The guest boots from the network through this interface, in the order of these numbers over all disks and interfaces. ' +
          'Where any has a number, those without one are not booted from.',
        {minimum: 1, maximum: 1024},
      ),
    ),
    acpiIndex: optional(
      integer('Number of the interface in its name: Linux guests with predictable names call number 7 eno7.', {
        minimum: 0,
        maximum: 16_383,
      }),
    ),
    masquerade: optional(
      marker(
        'The guest has an address of its own behind that of the pod: what it sends is masqueraded, and ports are forwarded to it.',
      ),
    ),
    ports: optional(ports),
    portRanges: optional(portRanges),
    dhcpOptions: optional(dhcpOptions),
  },
  {
    rules: [
      {
        rule: 'has(self.masquerade)',
        message: 'exactly one binding must be given: masquerade: {} is the one that is supported',
        reason: 'FieldValueRequired',
      },
      ...bootRules,
    ],
  },
);
export type Interface = Infer<typeof guestInterface>;

/** The smallest network that has room for a router and a guest is a /30. */
const vmNetworkCIDR = string(
  'Network of the guest behind the pod: its first address is the router, its second the guest. Defaults to 10.0.2.0/24.',
  {
    maxLength: 18,
    rules: [
      {
        rule: "self == '' || isCIDR(self) && cidr(self).ip().family() == 4",
        message: 'must be an IPv4 network, as 10.0.2.0/24',
      },
      {
        rule: "self == '' || !isCIDR(self) || cidr(self).prefixLength() >= 8 && cidr(self).prefixLength() <= 30",
        message: 'must have a prefix of 8 to 30 bits: a router and a guest need their addresses',
      },
      {
        rule: "self == '' || !isCIDR(self) || cidr(self).masked().ip().isGlobalUnicast()",
        message: 'must not be a loopback, link-local, multicast or broadcast network: a guest could not use it',
      },
    ],
  },
);

export const network = object(
  'A network that an interface of the guest is connected to.',
  {
    name: string('Name of the network, by which an interface refers to it.', {minLength: 1, maxLength: 63}),
    pod: optional(object('The network of the pod.', {vmNetworkCIDR: optional(vmNetworkCIDR)})),
  },
  {
    rules: [
      {
        rule: 'has(self.pod)',
        message: 'exactly one source must be given: pod: {} is the one that is supported',
        reason: 'FieldValueRequired',
      },
    ],
  },
);
export type Network = Infer<typeof network>;
