/** What of the guest is reachable through its pod. */
import {
  defaulted,
  enumeration,
  type Infer,
  integer,
  list,
  listMap,
  object,
  optional,
  type Schema,
  string,
} from '../schema/index.ts';

const protocols = ['TCP', 'UDP'] as const;
const portNumber = (description: string) => integer(description, {minimum: 1, maximum: 65_535});

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
  protocol: defaulted(enumeration('Protocol of the port.', protocols), 'TCP'),
  port: portNumber('Number of the port.'),
});

const portRange = object(
  'Ports of the guest, from one number to another, that are reachable through the pod.',
  {
    protocol: enumeration('Protocol of the ports.', protocols),
    start: portNumber('The first port.'),
    end: portNumber('The last port.'),
  },
  {rules: [{rule: 'self.start <= self.end', message: 'must not be less than start', fieldPath: '.end'}]},
);

export const ports = listMap(
  'Ports that are forwarded to the guest. All ports where neither this nor portRanges names one.',
  port,
  {
    keys: ['port', 'protocol'],
    maxItems: 128,
    rules: [
      {
        rule: 'self.all(one, !has(one.name) || self.exists_one(other, has(other.name) && other.name == one.name))',
        message: 'names of ports must be unique',
      },
    ],
  },
);
export const portRanges: Schema<readonly Infer<typeof portRange>[], readonly Infer<typeof portRange>[], 'required'> =
  list('Ranges of ports that are forwarded to the guest, beside those of ports.', portRange, {maxItems: 10});
