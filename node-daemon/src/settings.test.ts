import {hostname} from 'node:os';
import {expect, test} from '@jest/globals';
import {settingsOf} from './settings.ts';

test('only the name of the node must be given', () => {
  expect(settingsOf({NODE_NAME: 'n1'})).toEqual({
    node: 'n1',
    pods: '/var/lib/kubelet/pods',
    library: undefined,
    selfTest: '/usr/bin/wherry-kvm-selftest',
    netns: '/usr/bin/wherry-netns',
    healthPort: 8081,
    metricsPort: 8080,
    configPath: '/etc/wherry/config.json',
    namespace: 'wherry',
    pod: hostname(),
    leaseSeconds: 40,
  });
});

test.each([
  ['no node', {}, /NODE_NAME is not set/],
  ['a port that is none', {NODE_NAME: 'n1', HEALTH_PORT: 'eighty'}, /HEALTH_PORT=eighty is no port/],
  ['a Lease that runs out at once', {NODE_NAME: 'n1', LEASE_SECONDS: '1'}, /LEASE_SECONDS=1 .*give 8 to 300/],
  ['a Lease of a word', {NODE_NAME: 'n1', LEASE_SECONDS: 'long'}, /LEASE_SECONDS=long/],
])('an environment with %s is refused by the name of the variable', (_what, env, message) => {
  expect(() => settingsOf(env)).toThrow(message);
});
