import {expect, test} from '@jest/globals';
import {anInstanceSpec} from '../testing/fixtures.ts';
import {podPlacement} from './placement.ts';

const of = (spec: Parameters<typeof anInstanceSpec>[0], name = 'web') => podPlacement(name, anInstanceSpec(spec));

test('a pod has the host name of its guest, so that a subdomain can lead to it', () => {
  expect(of({})).toEqual({hostname: 'web'});
  expect(of({}, 'db.example.org')).toEqual({hostname: 'db'});
  expect(of({hostname: 'web-0', subdomain: 'web'})).toEqual({hostname: 'web-0', subdomain: 'web'});
});

test('what Kubernetes defines goes to the pod as it is', () => {
  const spec = {
    dnsPolicy: 'None' as const,
    dnsConfig: {nameservers: ['10.0.0.1'], searches: ['a.b'], options: [{name: 'ndots', value: '2'}]},
    affinity: {podAntiAffinity: {}},
    tolerations: [{key: 'dedicated', operator: 'Exists' as const}],
    topologySpreadConstraints: [{maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' as const}],
    schedulerName: 'my-scheduler',
    priorityClassName: 'important',
    serviceAccountName: 'web',
  };
  expect(of(spec)).toEqual({hostname: 'web', ...spec});
});

test('what is empty is left to the defaults of Kubernetes', () => {
  const empty = {
    hostname: '',
    subdomain: '',
    dnsPolicy: '' as const,
    schedulerName: '',
    priorityClassName: '',
    serviceAccountName: '',
  };
  expect(of(empty)).toEqual({hostname: 'web'});
});
