import {expect, test} from '@jest/globals';
import {seedEntries} from './seed.ts';

const identity = {uuid: 'u-1', hostname: 'guest'};
const decoded = (from: object): string =>
  'base64' in from ? Buffer.from(from.base64 as string, 'base64').toString() : JSON.stringify(from);
const entries = (source: object): Record<string, string> =>
  Object.fromEntries(seedEntries('seed', source, identity).map(({name, from}) => [name, decoded(from)]));

test('meta-data names the machine, not the run', () => {
  expect(JSON.parse(entries({userData: 'x'})['meta-data'] ?? '')).toEqual({
    'instance-id': 'u-1',
    'local-hostname': 'guest',
  });
});

test('inline user data lies on the seed as it is', () => {
  expect(entries({userData: '#cloud-config\n'})).toMatchObject({'user-data': '#cloud-config\n'});
  expect(entries({userDataBase64: Buffer.from('ä').toString('base64')})).toMatchObject({'user-data': 'ä'});
});

test('a seed always has user-data, or cloud-init would not see it', () => {
  expect(entries({networkData: 'version: 2'})).toMatchObject({'user-data': '', 'network-config': 'version: 2'});
});

test('a Secret is read inside the pod, under either spelling of its key', () => {
  const found = seedEntries('seed', {secretRef: {name: 's'}, networkDataSecretRef: {name: 'n'}}, identity);
  expect(found.slice(1)).toEqual([
    {
      name: 'user-data',
      from: {
        files: ['/run/wherry-volumes/seed/user/userdata', '/run/wherry-volumes/seed/user/userData'],
        optional: false,
      },
    },
    {
      name: 'network-config',
      from: {
        files: ['/run/wherry-volumes/seed/network/networkdata', '/run/wherry-volumes/seed/network/networkData'],
        optional: false,
      },
    },
  ]);
});

test('a config drive has the same data where OpenStack has it, and the names that its readers look for', () => {
  const found = seedEntries('seed', {userData: '#!/bin/sh', networkData: '{}'}, identity, 'configDrive');
  expect(found.map(({name}) => name)).toEqual([
    'openstack/latest/meta_data.json',
    'openstack/latest/user_data',
    'openstack/latest/network_data.json',
  ]);
  expect(JSON.parse(decoded(found[0]!.from))).toEqual({
    instance_id: identity.uuid,
    uuid: identity.uuid,
    hostname: identity.hostname,
    local_hostname: identity.hostname,
  });
});
