import {expect, test} from '@jest/globals';
import {readSettings} from './settings.ts';

test('without any variable the defaults of the chart hold', () => {
  expect(readSettings({})).toMatchObject({
    configPath: '/etc/wherry/config.json',
    namespace: 'wherry',
    healthPort: 8081,
    metricsPort: 8080,
  });
});

test('variables win', () => {
  const env = {WHERRY_CONFIG: '/c', POD_NAMESPACE: 'vms', POD_NAME: 'op-1', HEALTH_PORT: '0', METRICS_PORT: '9090'};
  expect(readSettings(env)).toEqual({
    configPath: '/c',
    namespace: 'vms',
    name: 'op-1',
    healthPort: 0,
    metricsPort: 9090,
  });
});

test.each([
  [{HEALTH_PORT: 'http'}, /HEALTH_PORT is "http"/],
  [{METRICS_PORT: '70000'}, /METRICS_PORT is "70000"/],
])('refuses %j and names what is wrong', (env, message) => {
  expect(() => readSettings(env)).toThrow(expect.objectContaining({message: expect.stringMatching(message)}));
});
