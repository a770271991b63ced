/** Network interfaces, as the guest sees them, and the networks behind them. */
import {
  defaulted,
  enumeration,
  type Infer,
  integer,
  listMap,
  marker,
  object,
  optional,
  string,
} from '../schema/index.ts';

const port = object('A port of the guest that is reachable through the pod.', {
  name: optional(
    string('Name of the port, for Services.', {
      minLength: 1,
      maxLength: 15,
      rules: [
        {
          rule: "self.matches('^[a-z0-9]+(-[a-z0-9]+)*$') && self.matches('[a-z]')",
          message: 'must be lower-case letters, digits and single dashes inside, with at least one letter',
        },
      ],
    }),
  ),
  protocol: defaulted(enumeration('Protocol of the port.', ['TCP', 'UDP']), 'TCP'),
  port: integer('Number of the port.', {minimum: 1, maximum: 65_535}),
});

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
      enumeration('How the guest sees the interface: as a virtio network device.', ['virtio']),
      'virtio',
    ),
    macAddress: optional(macAddress),
    masquerade: optional(
      marker(
        'The guest has the address 10.0.2.2 behind the address of the pod: what it sends is masqueraded, and ports are forwarded to it.',
      ),
    ),
    ports: optional(
      listMap('Ports that are forwarded to the guest. All ports where none is given.', port, {
        keys: ['port', 'protocol'],
        maxItems: 128,
        rules: [
          {
            rule: 'self.all(one, !has(one.name) || self.exists_one(other, has(other.name) && other.name == one.name))',
            message: 'names of ports must be unique',
          },
        ],
      }),
    ),
  },
  {
    rules: [
      {
        rule: 'has(self.masquerade)',
        message: 'exactly one binding must be given: masquerade: {} is the one that is supported',
        reason: 'FieldValueRequired',
      },
    ],
  },
);
export type Interface = Infer<typeof guestInterface>;
export type InterfacePort = Infer<typeof port>;

export const network = object(
  'A network that an interface of the guest is connected to.',
  {
    name: string('Name of the network, by which an interface refers to it.', {minLength: 1, maxLength: 63}),
    pod: optional(marker('The network of the pod.')),
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
