/** The configuration of the cluster: one JSON file from one ConfigMap, read by every part and again when it changes. */
import {invalidConfig} from './errors.ts';
import {
  boolean,
  defaulted,
  enumeration,
  type Infer,
  integer,
  object,
  problemsIn,
  string,
  withDefaults,
} from './schema/index.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export const pullPolicies = ['Always', 'IfNotPresent', 'Never'] as const;
export type PullPolicy = (typeof pullPolicies)[number];

/** Where the chart puts it: the ConfigMap's name, and the key that becomes the file. */
export const ConfigObject = {name: 'wherry-config', key: 'config.json'} as const;

/**
 * Every field. The schema of the chart's values is made from the same: what Helm takes is what the parts read. Names and
 * meanings are those of KubeVirt's configuration where it has the field.
 */
export const configSchema = object('Configuration of the cluster.', {
  launcherImage: string(
    'Image of the container of each VM pod: launcher and engine. For guests started from then on.',
    {
      minLength: 1,
      maxLength: 512,
      pattern: String.raw`^\S+$`,
    },
  ),
  imagePullPolicy: defaulted(
    enumeration('When that image is fetched. For guests started from then on.', pullPolicies),
    'IfNotPresent',
  ),
  logLevel: defaulted(enumeration('How much operator and node-daemons log. At once.', logLevels), 'info'),
  allowEmulation: defaulted(
    boolean(
      'Whether guests run by software emulation where no node has a usable KVM: many times slower. ' +
        'For guests started from then on. KubeVirt: developerConfiguration.useEmulation.',
    ),
    false,
  ),
  cpuAllocationRatio: defaulted(
    integer(
      'How many vCPUs share one CPU: each asks for 1/ratio of a CPU, unless the machine says its own request. ' +
        'For guests started from then on. KubeVirt: developerConfiguration.cpuAllocationRatio.',
      {minimum: 1, maximum: 1000},
    ),
    10,
  ),
  memoryOvercommit: defaulted(
    integer(
      'Guest memory in percent of what is reserved for it: 150 reserves two thirds, unless the machine says its own ' +
        'request. For guests started from then on. KubeVirt: developerConfiguration.memoryOvercommit.',
      {minimum: 100, maximum: 1000},
    ),
    100,
  ),
  evictionStrategy: defaulted(
    enumeration(
      'What becomes of a guest when its node is drained, unless the machine says it. None: it is shut down, and its ' +
        'machine runs again elsewhere. External: its pod cannot be evicted, and status.evacuationNodeName asks somebody ' +
        'else to act. At once, for guests that run too.',
      ['None', 'External'],
    ),
    'None',
  ),
  disableSerialConsoleLog: defaulted(
    boolean(
      "Whether the serial console stays out of the log of the guest's pod, unless the machine says logSerialConsole. " +
        'For guests started from then on. KubeVirt: virtualMachineOptions.disableSerialConsoleLog.',
    ),
    false,
  ),
});

export type Config = Infer<typeof configSchema>;

type Json = Readonly<Record<string, unknown>>;

const parseObject = (text: string): Json => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalidConfig(['it is no JSON text'], error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidConfig(['it must be a JSON object']);
  }
  return value as Json;
};

/**
 * Reads the configuration. Fields that it does not know are ignored: while an upgrade rolls out, a part may read the
 * configuration of its successor.
 *
 * @throws ContractError CONFIG_INVALID that names every field that is wrong.
 */
export const parseConfig = (text: string): Config => {
  const given = parseObject(text);
  const problems = problemsIn(configSchema.json, given);
  if (problems.length > 0) throw invalidConfig(problems);
  return withDefaults(configSchema.json, given) as Config;
};
