/** The node-daemon's process: reads its settings, loads the native library, runs until SIGTERM. Guests outlive it. */
import {Client, EventRecorder, loadKubeConfig, systemClock} from '@wherry/kube';
import {loadHost} from '@wherry/native';
import {pino} from 'pino';
import {Registry} from 'prom-client';
import {Daemon} from './daemon.ts';
import {settingsOf} from './settings.ts';

const VERSION = '0.1.0';

const main = async (): Promise<void> => {
  const settings = settingsOf(process.env);
  const log = pino({name: 'wherry-node-daemon', level: settings.logLevel});
  const host = loadHost(settings.library);
  const registry = new Registry();
  const client = new Client({kubeConfig: await loadKubeConfig(), userAgent: `wherry-node-daemon/${VERSION}`, registry});
  const recorder = new EventRecorder({client, component: 'wherry-node-daemon', host: settings.node, log});
  const daemon = new Daemon({settings, host, client, recorder, registry, clock: systemClock, log});
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
