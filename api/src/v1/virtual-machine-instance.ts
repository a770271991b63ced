import {GROUP, VERSION} from '../constants/index.ts';
import {type Kind, type Stored, withRules, type Written} from '../schema/index.ts';
import {instanceSpec} from './instance-spec.ts';
import {instanceStatus} from './instance-status.ts';

/** An instance never changes: what would change is a new instance. */
const spec = withRules(instanceSpec, [
  {
    rule: 'self == oldSelf',
    message: 'cannot be changed while the guest runs: change the template of its VirtualMachine and restart that',
    reason: 'FieldValueForbidden',
  },
]);

export const virtualMachineInstanceKind = {
  group: GROUP,
  version: VERSION,
  kind: 'VirtualMachineInstance',
  plural: 'virtualmachineinstances',
  singular: 'virtualmachineinstance',
  shortNames: ['vmi', 'vmis'],
  categories: ['all'],
  description:
    'VirtualMachineInstance is one run of a virtual machine. A VirtualMachine makes one of its own name at each start; one that was made by hand runs once.',
  columns: [
    {
      name: 'Age',
      type: 'date',
      description: 'Time since the object was made.',
      jsonPath: '.metadata.creationTimestamp',
    },
    {name: 'Phase', type: 'string', description: 'How far the run is.', jsonPath: '.status.phase'},
    {
      name: 'IP',
      type: 'string',
      description: 'Address of the guest.',
      jsonPath: '.status.interfaces[0].ipAddress',
    },
    {name: 'NodeName', type: 'string', description: 'The node that runs the guest.', jsonPath: '.status.nodeName'},
    {
      name: 'Ready',
      type: 'string',
      description: 'Whether the guest runs and its pod is ready.',
      jsonPath: ".status.conditions[?(@.type=='Ready')].status",
    },
    {
      name: 'Live-Migratable',
      type: 'string',
      description: 'Whether the guest can move to another node while it runs.',
      jsonPath: ".status.conditions[?(@.type=='LiveMigratable')].status",
      wide: true,
    },
    {
      name: 'Paused',
      type: 'string',
      description: 'Whether the vCPUs of the guest are stopped.',
      jsonPath: ".status.conditions[?(@.type=='Paused')].status",
      wide: true,
    },
    {
      name: 'Engine',
      type: 'string',
      description: 'The engine that runs the guest.',
      jsonPath: '.status.engine.name',
      wide: true,
    },
    {
      name: 'Emulated',
      type: 'string',
      description: 'Whether the guest runs by software emulation.',
      jsonPath: ".status.conditions[?(@.type=='SoftwareEmulation')].status",
      wide: true,
    },
    {
      name: 'Memory',
      type: 'string',
      description: 'Memory of the guest.',
      jsonPath: '.status.memory.guestCurrent',
      wide: true,
    },
    {
      name: 'Guest-OS',
      type: 'string',
      description: 'The operating system of the guest, as its agent says.',
      jsonPath: '.status.guestOSInfo.prettyName',
      wide: true,
    },
  ],
  selectable: ['.status.nodeName', '.status.phase'],
  spec,
  status: instanceStatus,
} as const satisfies Kind<typeof spec, typeof instanceStatus>;

type Definition = typeof virtualMachineInstanceKind;
export type VirtualMachineInstance = Stored<'VirtualMachineInstance', Definition>;
export type VirtualMachineInstanceInput = Written<'VirtualMachineInstance', Definition>;
