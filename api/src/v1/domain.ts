/** The machine itself: each part has a file of its name. */
import {type Infer, object, optional} from '../schema/index.ts';
import {cpu} from './cpu.ts';
import {devices} from './devices.ts';
import {firmware} from './firmware.ts';
import {memory, memoryRules, resources} from './memory.ts';

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
