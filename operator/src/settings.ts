import {hostname} from 'node:os';
import {SettingsError} from './errors.ts';

/** What the operator is told from outside. */
export interface Settings {
  /** WHERRY_CONFIG: the file with the cluster's configuration. Defaults to /etc/wherry/config.json. */
  readonly configPath: string;
  /** POD_NAMESPACE: where the election's Lease lies. Defaults to wherry. */
  readonly namespace: string;
  /** POD_NAME: who stands for election. Defaults to the host's name. */
  readonly name: string;
  /** HEALTH_PORT. Defaults to 8081. */
  readonly healthPort: number;
  /** METRICS_PORT. Defaults to 8080. */
  readonly metricsPort: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws SettingsError that names the variable and what it should hold. */
export const readSettings = (env: Environment): Settings => ({
  configPath: env['WHERRY_CONFIG'] ?? '/etc/wherry/config.json',
  namespace: env['POD_NAMESPACE'] ?? 'wherry',
  name: env['POD_NAME'] ?? hostname(),
  healthPort: port(env, 'HEALTH_PORT', 8081),
  metricsPort: port(env, 'METRICS_PORT', 8080),
});

const port = (env: Environment, name: string, otherwise: number): number => {
  const text = env[name];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new SettingsError(`${name} is "${text}": it must be a port, 0 to 65535`);
  return value;
};
