import {readFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {type Config, type LogLevel, logLevels, parseConfig} from '@wherry/api';
import {SettingsError} from './errors.ts';

/** What the operator is told from outside. */
export interface Settings {
  readonly config: Config;
  /** WHERRY_CONFIG. Defaults to /etc/wherry/config.json. */
  readonly configPath: string;
  /** POD_NAMESPACE: where the election's Lease lies. Defaults to wherry. */
  readonly namespace: string;
  /** POD_NAME: who stands for election. Defaults to the host's name. */
  readonly name: string;
  /** HEALTH_PORT. Defaults to 8081. */
  readonly healthPort: number;
  /** METRICS_PORT. Defaults to 8080. */
  readonly metricsPort: number;
  /** LOG_LEVEL. Defaults to the configuration's. */
  readonly logLevel: LogLevel;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws SettingsError that names the variable or file and what it should hold. */
export const readSettings = (env: Environment, readFile: (path: string) => string = readText): Settings => {
  const configPath = env['WHERRY_CONFIG'] ?? '/etc/wherry/config.json';
  const config = readConfig(configPath, readFile);
  return {
    config,
    configPath,
    namespace: env['POD_NAMESPACE'] ?? 'wherry',
    name: env['POD_NAME'] ?? hostname(),
    healthPort: port(env, 'HEALTH_PORT', 8081),
    metricsPort: port(env, 'METRICS_PORT', 8080),
    logLevel: level(env) ?? config.logLevel,
  };
};

const readText = (path: string): string => readFileSync(path, 'utf8');

const readConfig = (path: string, readFile: (path: string) => string): Config => {
  try {
    return parseConfig(readFile(path));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SettingsError(`the configuration ${path} (WHERRY_CONFIG) cannot be used: ${why}`, {cause});
  }
};

const port = (env: Environment, name: string, otherwise: number): number => {
  const text = env[name];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new SettingsError(`${name} is "${text}": it must be a port, 0 to 65535`);
  return value;
};

const level = (env: Environment): LogLevel | undefined => {
  const text = env['LOG_LEVEL'];
  if (text === undefined || text === '') return undefined;
  const known = logLevels.find(one => one === text);
  if (known === undefined) throw new SettingsError(`LOG_LEVEL is "${text}": it must be one of ${logLevels.join(', ')}`);
  return known;
};
