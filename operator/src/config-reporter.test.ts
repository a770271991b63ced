import {ConfigObject} from '@wherry/api';
import {expect, test} from '@jest/globals';
import type {ConfigMap, Live, Note} from '@wherry/kube';
import {ConfigReporter, type ConfigReporterOptions} from './config-reporter.ts';
import {config} from './testing/fixtures.ts';

type Get = ConfigReporterOptions['client']['get'];

const object: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {name: ConfigObject.name, namespace: 'vms', uid: 'u'},
};

/** A configuration that the test changes, and what is said about it. */
const world = (found: () => ConfigMap | undefined = () => object) => {
  const told: (Note & {uid: string | undefined})[] = [];
  const asked: unknown[] = [];
  const listeners: {changed: () => void; refused: (error: Error) => void} = {changed: () => {}, refused: () => {}};
  const live: Live<typeof config> = {
    current: config,
    onChange: listener => void (listeners.changed = () => listener(config)),
    onRefused: listener => void (listeners.refused = listener),
  };
  const log = {debug: () => {}, info: () => {}, warn: () => {}, error: () => {}};
  const get = (async (_resource: unknown, key: unknown) => {
    asked.push(key);
    return found();
  }) as unknown as Get;
  const reporter = new ConfigReporter({
    client: {get},
    events: {event: ({metadata}, note) => void told.push({...note, uid: metadata.uid})},
    config: live,
    namespace: 'vms',
    log,
  });
  return {reporter, told, asked, listeners};
};

test('a refusal is told on the ConfigMap, with what is wrong', async () => {
  const {reporter, told, asked, listeners} = world();
  listeners.refused(new Error('logLevel must be one of debug, info'));
  await reporter.flush();
  expect(asked).toEqual([{namespace: 'vms', name: 'wherry-config'}]);
  expect(told).toEqual([
    {
      uid: 'u',
      type: 'Warning',
      reason: 'ConfigurationRefused',
      message: 'logLevel must be one of debug, info; the configuration before stays in force',
    },
  ]);
});

test('a good change is told only after one that was refused', async () => {
  const {reporter, told, listeners} = world();
  listeners.changed();
  listeners.refused(new Error('wrong'));
  listeners.changed();
  listeners.changed();
  await reporter.flush();
  expect(told.map(({reason}) => reason)).toEqual(['ConfigurationRefused', 'ConfigurationReloaded']);
});

test('without the object or without an answer nothing is told, and nothing fails', async () => {
  const gone = world(() => undefined);
  gone.listeners.refused(new Error('wrong'));
  await gone.reporter.flush();
  expect(gone.told).toEqual([]);
  const away = world(() => {
    throw new Error('no answer');
  });
  away.listeners.refused(new Error('wrong'));
  await away.reporter.flush();
  expect(away.told).toEqual([]);
});
