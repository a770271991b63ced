/** CPUs of the guest. */
import {hostCpuModels} from '../machine/cpu.ts';
import {cpuFeatureNames, cpuModelNames} from '../machine/cpu-table.ts';
import {enumeration, type Infer, integer, listMap, object, optional, string} from '../schema/index.ts';

/** Above this number of vCPUs x86 needs interrupt remapping, which the machine does not have. */
const MAX_VCPUS = 254;

const topology = (description: string) => integer(`${description} Defaults to 1.`, {minimum: 1, maximum: MAX_VCPUS});

const words = (names: readonly string[]): string => names.map(name => `'${name}'`).join(', ');

const feature = object('One feature of the CPU.', {
  name: string('Its name in QEMU, as avx2; underscores stand for dashes.', {
    minLength: 1,
    maxLength: 64,
    rules: [
      {
        rule: `self.replace('_', '-') in [${words(cpuFeatureNames)}]`,
        message: 'is no feature that QEMU knows: docs/reference/cpus.md lists them',
      },
    ],
  }),
  policy: optional(
    enumeration(
      'force and require: the guest has it, and with require only a node runs it that has it, too. optional: where the node ' +
        'has it. disable: the guest has it not. forbid: nor has the node. Defaults to require.',
      ['', 'force', 'require', 'optional', 'disable', 'forbid'],
    ),
  ),
});

const model = string(
  'What the guest sees: host-model or host-passthrough for the CPU of its node, or a model of QEMU. Defaults to host-model.',
  {
    maxLength: 64,
    rules: [
      {
        rule: `self in [${words(['', ...hostCpuModels, ...cpuModelNames])}]`,
        message: 'must be host-model, host-passthrough or a model of QEMU: docs/reference/cpus.md lists them',
      },
    ],
  },
);

export const cpu = object(
  'CPUs of the guest: sockets × cores × threads of them.',
  {
    cores: optional(topology('Cores of one socket.')),
    sockets: optional(topology('Sockets.')),
    threads: optional(topology('Threads of one core.')),
    model: optional(model),
    features: optional(listMap('Features beside those of the model.', feature, {keys: ['name'], maxItems: 64})),
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
export type Cpu = Infer<typeof cpu>;
