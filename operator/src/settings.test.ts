import {expect, test} from '@jest/globals';
import {readSettings} from './settings.ts';

const file = '{"launcherImage": "wherry/launcher:1", "allowEmulation": true, "logLevel": "warn"}';

test('without any variable the defaults of the chart hold', () => {
  const paths: string[] = [];
  const settings = readSettings({}, path => {
    paths.push(path);
    return file;
  });
  expect(paths).toEqual(['/etc/wherry/config.json']);
  expect(settings).toMatchObject({namespace: 'wherry', healthPort: 8081, metricsPort: 8080, logLevel: 'warn'});
  expect(settings.config).toMatchObject({launcherImage: 'wherry/launcher:1', allowEmulation: true});
});

test('variables win over the file', () => {
  const settings = readSettings(
    {POD_NAMESPACE: 'vms', POD_NAME: 'op-1', HEALTH_PORT: '0', METRICS_PORT: '9090', LOG_LEVEL: 'debug'},
    () => file,
  );
  expect(settings).toMatchObject({namespace: 'vms', name: 'op-1', healthPort: 0, metricsPort: 9090, logLevel: 'debug'});
});

test.each([
  [{HEALTH_PORT: 'http'}, file, /HEALTH_PORT is "http"/],
  [{METRICS_PORT: '70000'}, file, /METRICS_PORT is "70000"/],
  [{LOG_LEVEL: 'loud'}, file, /LOG_LEVEL is "loud".*trace, debug/],
  [{WHERRY_CONFIG: '/x.json'}, '{}', /\/x\.json \(WHERRY_CONFIG\).*launcherImage/],
])('%j with %s is refused by name', (env, text, message) => {
  expect(() => readSettings(env, () => text)).toThrow(message);
});

test('a missing file is named', () => {
  expect(() => readSettings({WHERRY_CONFIG: '/nowhere.json'})).toThrow(/\/nowhere\.json.*ENOENT/);
});
