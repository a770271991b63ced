/** The node-daemon's process: reads its settings, loads the native library, runs until SIGTERM. Guests outlive it. */
import {parseConfig} from '@wherry/api';
import {Client, EventRecorder, LiveFile, loadKubeConfig, systemClock} from '@wherry/kube';
import {loadHost} from '@wherry/native';
import {pino} from 'pino';
import {Registry} from 'prom-client';
import {Daemon} from './daemon.ts';
import {settingsOf} from './settings.ts';

const VERSION = '0.1.0';

const main = async (): Promise<void> => {
  const settings = settingsOf(process.env);
  const log = pino({name: 'wherry-node-daemon'});
  const registry = new Registry();
  const config = new LiveFile({path: settings.configPath, parse: parseConfig, metric: 'wherry_config', log, registry});
  log.level = config.current.logLevel;
  config.onChange(({logLevel}) => (log.level = logLevel));
  const host = loadHost(settings.library);
  const client = new Client({kubeConfig: await loadKubeConfig(), userAgent: `wherry-node-daemon/${VERSION}`, registry});
  const recorder = new EventRecorder({client, component: 'wherry-node-daemon', host: settings.node, log});
  const daemon = new Daemon({settings, config, host, client, recorder, registry, clock: systemClock, log});
  daemon.manager.addRunnable(config);
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  process.on('SIGUSR1', () => daemon.reporter.retest());
  log.info({node: settings.node, abi: host.abiVersion, pods: settings.pods}, 'node-daemon starts');
  await daemon.run(stop.signal);
  await recorder.flush();
};

main().then(
  () => process.exit(0),
  (error: unknown) => {
    pino().fatal({err: error}, 'node-daemon ended by a fault');
    process.exit(1);
  },
);
