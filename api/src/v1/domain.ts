/** The machine itself: CPUs, memory, firmware and devices. */
import {
  boolean,
  type Infer,
  integer,
  listMap,
  map,
  marker,
  object,
  optional,
  quantity,
  type Rule,
  string,
} from '../schema/index.ts';
import {guestInterface} from './network.ts';
import {disk, kernelBoot} from './storage.ts';

/** Above this number of vCPUs x86 needs interrupt remapping, which the machine does not have. */
const MAX_VCPUS = 254;

const topology = (description: string) => integer(`${description} Defaults to 1.`, {minimum: 1, maximum: MAX_VCPUS});

const cpu = object(
  'CPUs of the guest: sockets × cores × threads of them.',
  {
    cores: optional(topology('Cores of one socket.')),
    sockets: optional(topology('Sockets.')),
    threads: optional(topology('Threads of one core.')),
  },
  {
    rules: [
      {
        rule: `self.?cores.orValue(1) * self.?sockets.orValue(1) * self.?threads.orValue(1) <= ${MAX_VCPUS}`,
        message: `sockets × cores × threads must be at most ${MAX_VCPUS}`,
      },
    ],
  },
);

const memory = object('Memory of the guest.', {
  guest: optional(
    quantity('How much memory the guest sees. Defaults to the memory request, else to the memory limit.', {
      rules: [
        {
          rule: "quantity(string(self)).compareTo(quantity('1Mi')) >= 0",
          message: 'must be at least 1Mi: write the unit, as 512Mi',
        },
      ],
    }),
  ),
});

const amounts = (description: string) => map(description, quantity('An amount, as 500m or 1Gi.'), {maxProperties: 16});

const resources = object(
  'What the guest asks of the node. The overhead of the virtual machine is added to it.',
  {
    requests: optional(
      amounts('What the node must have free. Memory defaults to that of the guest, cpu to 100m a vCPU.'),
    ),
    limits: optional(amounts('What the guest may use at most. No limit where it is left out.')),
  },
  {
    rules: [
      {
        rule:
          '!has(self.requests) || !has(self.limits) || self.requests.all(name, !(name in self.limits) || ' +
          'quantity(string(self.requests[name])).compareTo(quantity(string(self.limits[name]))) <= 0)',
        message: 'a request must not be larger than the limit of the same resource',
        fieldPath: '.requests',
      },
    ],
  },
);

const firmware = object('How the guest starts.', {
  uuid: optional(
    string(
      'UUID of the machine (SMBIOS). Defaults to one derived from the uid of the VirtualMachine, the same at each start.',
      {
        maxLength: 36,
        rules: [
          {
            rule: "self.matches('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')",
            message: 'must be a UUID, as 5d307ca9-b3ef-428c-8861-06e72d69f223',
          },
        ],
      },
    ),
  ),
  kernelBoot: optional(kernelBoot),
});

const devices = object('Devices of the guest.', {
  disks: optional(
    listMap('Disks, in boot order. A volume without one gets a virtio disk.', disk, {keys: ['name'], maxItems: 256}),
  ),
  interfaces: optional(
    listMap('Network interfaces. Defaults to one with masquerade on the network of the pod.', guestInterface, {
      keys: ['name'],
      maxItems: 32,
    }),
  ),
  rng: optional(marker('A source of randomness. Every guest has one, with or without this.')),
  autoattachPodInterface: optional(
    boolean('Whether a guest without interfaces and networks gets the default one. Defaults to true.'),
  ),
});

const memoryRules: readonly Rule[] = [
  {
    rule:
      'self.?memory.?guest.hasValue() || self.?resources.?requests[?"memory"].hasValue() || ' +
      'self.?resources.?limits[?"memory"].hasValue()',
    message: 'the memory of the guest must be given, as memory: {guest: 512Mi}',
    reason: 'FieldValueRequired',
  },
  {
    rule:
      '!self.?memory.?guest.hasValue() || !self.?resources.?limits[?"memory"].hasValue() || ' +
      'quantity(string(self.memory.guest)).compareTo(quantity(string(self.resources.limits["memory"]))) <= 0',
    message: 'memory.guest must not be larger than resources.limits.memory',
    fieldPath: '.memory',
  },
];

export const domain = object(
  'The virtual machine.',
  {
    cpu: optional(cpu),
    memory: optional(memory),
    resources: optional(resources),
    firmware: optional(firmware),
    devices,
  },
  {rules: memoryRules},
);
export type Domain = Infer<typeof domain>;
