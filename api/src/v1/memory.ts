/** Memory of the guest, and what it asks of the node. */
import {map, object, optional, quantity, type Rule} from '../schema/index.ts';

export const memory = object('Memory of the guest.', {
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

export const resources = object(
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

/** Rules of the domain, which holds both. */
export const memoryRules: readonly Rule[] = [
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
