/** The configuration of the cluster: one JSON file from one ConfigMap, read by every part. */
import {invalidConfig} from './errors.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export const pullPolicies = ['Always', 'IfNotPresent', 'Never'] as const;
export type PullPolicy = (typeof pullPolicies)[number];

export interface Config {
  /** Image of the container of each VM pod: launcher and engine. */
  readonly launcherImage: string;
  /** When that image is fetched. Defaults to IfNotPresent. */
  readonly imagePullPolicy: PullPolicy;
  /** Whether guests run by software emulation where no node has a usable KVM. Defaults to false. */
  readonly allowEmulation: boolean;
  /** Defaults to info. */
  readonly logLevel: LogLevel;
}

type Json = Readonly<Record<string, unknown>>;

/** A field's value, or what is wrong with it. */
type Check = (value: unknown) => string | undefined;

const isText: Check = value =>
  typeof value === 'string' && value.trim() !== '' ? undefined : 'must be a text that is not empty';
const isFlag: Check = value => (typeof value === 'boolean' ? undefined : 'must be true or false');
const isOneOf =
  (words: readonly string[]): Check =>
  value =>
    words.some(word => word === value) ? undefined : `must be one of ${words.join(', ')}`;

const defaults: Omit<Config, 'launcherImage'> = {
  imagePullPolicy: 'IfNotPresent',
  allowEmulation: false,
  logLevel: 'info',
};

const checks: Readonly<Record<keyof Config, Check>> = {
  launcherImage: isText,
  imagePullPolicy: isOneOf(pullPolicies),
  allowEmulation: isFlag,
  logLevel: isOneOf(logLevels),
};

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
  const values: Json = {...defaults, ...given};
  const problems = Object.entries(checks).flatMap(([field, check]) => {
    const problem = check(values[field]);
    return problem === undefined ? [] : [`${field} ${problem}`];
  });
  if (problems.length > 0) {
    throw invalidConfig(problems);
  }
  const known = Object.keys(checks).map(field => [field, values[field]]);
  return Object.fromEntries(known) as Config;
};
