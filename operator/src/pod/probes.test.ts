import {expect, test} from '@jest/globals';
import {anInstanceSpec} from '../testing/fixtures.ts';
import {podProbes} from './probes.ts';

const of = (spec: Parameters<typeof anInstanceSpec>[0]) => podProbes(anInstanceSpec(spec));

test('an instance without probes has a container without probes', () => {
  expect(of({})).toEqual({});
});

test('probes go to the container as they are, without a delay of our own', () => {
  const readinessProbe = {
    httpGet: {port: 'http', path: '/ready', scheme: 'HTTPS' as const, httpHeaders: [{name: 'X', value: 'y'}]},
    initialDelaySeconds: 5,
    periodSeconds: 2,
    timeoutSeconds: 3,
    successThreshold: 2,
    failureThreshold: 4,
  };
  const livenessProbe = {tcpSocket: {port: 22}, failureThreshold: 5};
  expect(of({readinessProbe, livenessProbe})).toEqual({readinessProbe, livenessProbe});
});

test('what is 0 or empty is left to the defaults of Kubernetes', () => {
  const readinessProbe = {httpGet: {port: 80, path: '', scheme: '' as const, host: ''}, periodSeconds: 0};
  expect(of({readinessProbe})).toEqual({readinessProbe: {httpGet: {port: 80}}});
});

test('an empty probe, which was taken once, is none', () => {
  expect(of({readinessProbe: {}, livenessProbe: {periodSeconds: 3}})).toEqual({});
});
