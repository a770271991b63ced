/** The operator's process: settings in, signals, exit code. Everything is constructed here or in `makeOperator`. */
import {randomUUID} from 'node:crypto';
import {parseConfig} from '@wherry/api';
import {Client, ConfigError, LiveFile, loadKubeConfig, systemClock} from '@wherry/kube';
import {pino} from 'pino';
import {collectDefaultMetrics, Registry} from 'prom-client';
import {SettingsError} from './errors.ts';
import {makeOperator} from './operator.ts';
import {readSettings, type Settings} from './settings.ts';

const run = async (settings: Settings, signal: AbortSignal): Promise<void> => {
  const log = pino({base: null, timestamp: pino.stdTimeFunctions.isoTime});
  const registry = new Registry();
  const config = new LiveFile({path: settings.configPath, parse: parseConfig, metric: 'wherry_config', log, registry});
  log.level = config.current.logLevel;
  config.onChange(({logLevel}) => (log.level = logLevel));
  collectDefaultMetrics({register: registry});
  const client = new Client({kubeConfig: await loadKubeConfig(), userAgent: 'wherry-operator', registry});
  const operator = makeOperator({
    client,
    config,
    log,
    registry,
    clock: systemClock,
    random: Math.random,
    identity: `${settings.name}_${randomUUID()}`,
    namespace: settings.namespace,
    healthPort: settings.healthPort,
    metricsPort: settings.metricsPort,
  });
  operator.addRunnable(config);
  log.info({config: config.current}, 'starting');
  try {
    await operator.run(signal);
  } finally {
    await client.close();
  }
};

const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());

try {
  await run(readSettings(process.env), stop.signal);
} catch (error) {
  // A lost lease, an unreachable API server or bad settings: the kubelet starts the process again.
  const isPlain = error instanceof SettingsError || error instanceof ConfigError;
  process.stderr.write(`${isPlain ? error.message : ((error as Error).stack ?? String(error))}\n`);
  process.exitCode = 1;
}
// Whatever still holds the event loop must not keep a leader alive that has stopped leading.
process.exit();
