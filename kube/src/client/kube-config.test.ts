import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {ConfigError} from '../errors.ts';
import {inCluster, loadKubeConfig} from './kube-config.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kube-config-'));
});

afterEach(async () => {
  await rm(folder, {recursive: true, force: true});
});

const kubeconfig = async (config: object): Promise<string> => {
  const file = join(folder, 'config');
  await writeFile(file, JSON.stringify({apiVersion: 'v1', kind: 'Config', ...config}));
  return file;
};

test('in a pod, the token is read anew for every use: the kubelet renews it in place', async () => {
  await writeFile(join(folder, 'token'), 'one\n');
  await writeFile(join(folder, 'ca.crt'), 'authority');
  const config = inCluster('10.0.0.1', '443', folder);
  expect(config.url).toBe('https://10.0.0.1:443');
  expect(await config.headers()).toEqual({authorization: 'Bearer one'});
  await writeFile(join(folder, 'token'), 'two');
  expect(await config.headers()).toEqual({authorization: 'Bearer two'});
  expect(String((await config.tls()).ca)).toBe('authority');
});

test('an IPv6 address is put in brackets', () => {
  expect(inCluster('fd00::1', '6443', folder).url).toBe('https://[fd00::1]:6443');
});

test('in a pod without KUBECONFIG, the service account is used', async () => {
  const config = await loadKubeConfig({KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443'});
  expect(config.url).toBe('https://10.0.0.1:6443');
});

test('KUBECONFIG wins, and gives address, authority and credentials', async () => {
  const KUBECONFIG = await kubeconfig({
    clusters: [
      {name: 'c', cluster: {server: 'https://example:6443/', 'certificate-authority-data': btoa('authority')}},
    ],
    users: [{name: 'u', user: {token: 'secret'}}],
    contexts: [{name: 'x', context: {cluster: 'c', user: 'u'}}],
    'current-context': 'x',
  });
  const config = await loadKubeConfig({KUBECONFIG, KUBERNETES_SERVICE_HOST: '10.0.0.1'});
  expect(config.url).toBe('https://example:6443');
  expect(String((await config.tls()).ca)).toBe('authority');
  expect(await config.headers()).toMatchObject({Authorization: 'Bearer secret'});
});

test('a client certificate is handed on', async () => {
  const KUBECONFIG = await kubeconfig({
    clusters: [{name: 'c', cluster: {server: 'https://example'}}],
    users: [{name: 'u', user: {'client-certificate-data': btoa('cert'), 'client-key-data': btoa('key')}}],
    contexts: [{name: 'x', context: {cluster: 'c', user: 'u'}}],
    'current-context': 'x',
  });
  const {cert, key} = await (await loadKubeConfig({KUBECONFIG})).tls();
  expect([String(cert), String(key)]).toEqual(['cert', 'key']);
});

test('a kubeconfig that cannot be used is named, with the remedy', async () => {
  const missing = join(folder, 'missing');
  await expect(loadKubeConfig({KUBECONFIG: missing})).rejects.toThrow(`kubeconfig ${missing} cannot be read`);
  const KUBECONFIG = await kubeconfig({clusters: [], users: [], contexts: []});
  await expect(loadKubeConfig({KUBECONFIG})).rejects.toBeInstanceOf(ConfigError);
});
