/** The machine itself: each part has a file of its name. */
import {type Infer, object, optional, type Rule, string} from '../schema/index.ts';
import {chassis} from './chassis.ts';
import {clock} from './clock.ts';
import {cpu} from './cpu.ts';
import {devices} from './devices.ts';
import {features} from './features.ts';
import {firmware} from './firmware.ts';
import {machine} from './machine-type.ts';
import {ioThreadRules, ioThreads, ioThreadsPolicy} from './io-threads.ts';
import {memory, memoryRules, resources} from './memory.ts';

const rebootPolicy = string(
  'What a reboot of the guest does: Reboot lets it go on in the same instance; Terminate ends the instance, so that its VirtualMachine, where its run strategy says so, makes a new one from its template. Defaults to Reboot.',
  {
    maxLength: 63,
    rules: [{rule: "self in ['', 'Reboot', 'Terminate']", message: 'must be Reboot or Terminate'}],
  },
);

const nestedStateNeedsVmx: Rule = {
  rule:
    '!(has(self.features) && has(self.features.hyperv) && has(self.features.hyperv.evmcs) && ' +
    'self.features.hyperv.evmcs.?enabled.orValue(true)) || !has(self.cpu) || !has(self.cpu.features) || ' +
    "self.cpu.features.all(one, one.name != 'vmx' || one.?policy.orValue('') in ['', 'require'])",
  message: 'features.hyperv.evmcs needs the CPU feature vmx: give it the policy require, or remove it',
  fieldPath: '.cpu.features',
};

export const domain = object(
  'The virtual machine.',
  {
    cpu: optional(cpu),
    memory: optional(memory),
    resources: optional(resources),
    machine: optional(machine),
    firmware: optional(firmware),
    chassis: optional(chassis),
    clock: optional(clock),
    features: optional(features),
    devices,
    rebootPolicy: optional(rebootPolicy),
    ioThreads: optional(ioThreads),
    ioThreadsPolicy: optional(ioThreadsPolicy),
  },
  {rules: [...memoryRules, ...ioThreadRules, nestedStateNeedsVmx]},
);
export type Domain = Infer<typeof domain>;
