import {
  GROUP,
  printableStatuses,
  reservedLabels,
  runStrategies,
  stateChangeActions,
  VERSION,
} from '../constants/index.ts';
import {
  boolean,
  enumeration,
  type Infer,
  type InferInput,
  integer,
  type Kind,
  list,
  map,
  nullable,
  object,
  optional,
  type Stored,
  string,
  timestamp,
  withRefusals,
  withRules,
  type Written,
} from '../schema/index.ts';
import {conditions} from './condition.ts';
import {instanceSpec} from './instance-spec.ts';
import {machineRefusals} from './refusals/index.ts';
import {labels} from './scheduling.ts';

const generation = (description: string) => integer(description, {minimum: 0, maximum: Number.MAX_SAFE_INTEGER});

const templateMetadata = object('Labels and annotations of the instance and its pod.', {
  labels: optional(
    withRules(labels('Labels, for Services and other selectors.'), [
      {
        rule: `!self.exists(key, key in [${reservedLabels.map(label => `'${label}'`).join(', ')}])`,
        message: `these labels are set by the system alone: ${reservedLabels.join(', ')}`,
        reason: 'FieldValueForbidden',
      },
    ]),
  ),
  annotations: optional(
    map('Annotations.', string('Value of the annotation.', {maxLength: 262_144}), {maxProperties: 256}),
  ),
  // Tools that print Go structs write `creationTimestamp: null` here, and a field that is not known is refused.
  creationTimestamp: optional(nullable(timestamp('Without meaning.'))),
});

const template = object('The instance that is made at each start.', {
  metadata: optional(templateMetadata),
  spec: instanceSpec,
});

const supported = object(
  'When the machine runs, and what.',
  {
    runStrategy: optional(
      enumeration(
        'When the machine runs. Always: it is started again whenever it ends. RerunOnFailure: it is started again after a failure, and stays down when the guest shuts itself down. Once: it is started once. Manual: it is started and stopped by status.stateChangeRequests alone. Halted: it does not run.',
        runStrategies,
      ),
    ),
    running: optional(boolean('Deprecated: use runStrategy. True means the run strategy Always, false means Halted.')),
    template,
  },
  {
    rules: [
      {
        rule: 'has(self.running) != has(self.runStrategy)',
        message: 'exactly one of runStrategy or running must be given: use runStrategy',
        fieldPath: '.runStrategy',
      },
    ],
  },
);

export const machineSpec = withRefusals(supported, machineRefusals);
export type MachineSpec = Infer<typeof machineSpec>;
export type MachineSpecInput = InferInput<typeof machineSpec>;

const startFailure = object('Starts that failed, one after the other. Gone once a start succeeds.', {
  consecutiveFailCount: optional(integer('How many.', {minimum: 0, maximum: 2_147_483_647})),
  lastFailedVMIUID: optional(string('The uid of the instance that failed last.', {maxLength: 64})),
  retryAfterTimestamp: optional(timestamp('The next start is not tried before.')),
});

const stateChangeRequest = object(
  'Something that was asked of the machine and is not done yet.',
  {
    action: enumeration(
      'Start, or Stop the instance that uid names. A Stop with a Start behind it is a restart.',
      stateChangeActions,
    ),
    uid: optional(string('The uid of the instance that is meant, for Stop.', {maxLength: 64})),
    data: optional(
      map(
        'Details. A Start with paused: "true" makes a guest that waits until it is resumed.',
        string('Value of the detail.', {maxLength: 1024}),
        {maxProperties: 16},
      ),
    ),
  },
  {
    rules: [
      {
        rule: "self.action != 'Stop' || has(self.uid)",
        message: 'must be given for Stop: the uid of the instance that is meant',
        fieldPath: '.uid',
        reason: 'FieldValueRequired',
      },
    ],
  },
);

export const machineStatus = object('What is known about the machine.', {
  printableStatus: optional(enumeration('The state in one word, for people.', printableStatuses)),
  created: optional(boolean('Whether its instance exists.')),
  ready: optional(boolean('Whether its instance is ready.')),
  conditions: optional(conditions),
  runStrategy: optional(enumeration('The run strategy that was last carried out.', runStrategies)),
  observedGeneration: optional(generation('The generation of the object that this status was found on.')),
  desiredGeneration: optional(generation('The generation of the object that is to run.')),
  startFailure: optional(startFailure),
  stateChangeRequests: optional(
    list('What was asked and is not done yet, in its order.', stateChangeRequest, {maxItems: 16}),
  ),
});
export type MachineStatus = Infer<typeof machineStatus>;
export type StartFailure = Infer<typeof startFailure>;
export type StateChangeRequest = Infer<typeof stateChangeRequest>;

export const virtualMachineKind = {
  group: GROUP,
  version: VERSION,
  kind: 'VirtualMachine',
  plural: 'virtualmachines',
  singular: 'virtualmachine',
  shortNames: ['vm', 'vms'],
  categories: ['all'],
  description:
    'VirtualMachine is a virtual machine that lasts: it keeps its name, addresses and volumes from start to start. Each run of it is a VirtualMachineInstance of the same name.',
  columns: [
    {
      name: 'Age',
      type: 'date',
      description: 'Time since the object was made.',
      jsonPath: '.metadata.creationTimestamp',
    },
    {name: 'Status', type: 'string', description: 'The state in one word.', jsonPath: '.status.printableStatus'},
    {
      name: 'Ready',
      type: 'string',
      description: 'Whether the guest runs and its pod is ready.',
      jsonPath: ".status.conditions[?(@.type=='Ready')].status",
    },
    {
      name: 'Run-Strategy',
      type: 'string',
      description: 'When the machine runs.',
      jsonPath: '.status.runStrategy',
      wide: true,
    },
    {
      name: 'Memory',
      type: 'string',
      description: 'Memory of the guest at its next start.',
      jsonPath: '.spec.template.spec.domain.memory.guest',
      wide: true,
    },
    {
      name: 'Restart-Required',
      type: 'string',
      description: 'Whether the template has changes that the running guest does not have.',
      jsonPath: ".status.conditions[?(@.type=='RestartRequired')].status",
      wide: true,
    },
    {
      name: 'Message',
      type: 'string',
      description: 'Why the machine is not ready.',
      jsonPath: ".status.conditions[?(@.type=='Ready')].message",
      wide: true,
    },
  ],
  spec: machineSpec,
  status: machineStatus,
} as const satisfies Kind<typeof machineSpec, typeof machineStatus>;

type Definition = typeof virtualMachineKind;
export type VirtualMachine = Stored<'VirtualMachine', Definition>;
export type VirtualMachineInput = Written<'VirtualMachine', Definition>;
