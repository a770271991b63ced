import {cloudInitSecretPath, PodLayout, volumePath} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {anInstanceSpec} from '../testing/fixtures.ts';
import {podMounts} from './mounts.ts';

const withVolumes = (...volumes: NonNullable<Parameters<typeof anInstanceSpec>[0]>['volumes'] & object) =>
  podMounts(anInstanceSpec({volumes}), name => name === 'device');

test('every pod has a folder for sockets and one for what the launcher makes', () => {
  const {volumes, mounts} = withVolumes();
  expect(volumes).toEqual([
    {name: PodLayout.socketsVolume, emptyDir: {}},
    {name: PodLayout.privateVolume, emptyDir: {}},
  ]);
  expect(mounts.map(mount => mount.mountPath)).toEqual([PodLayout.sockets, PodLayout.private]);
});

test('a containerDisk is an image volume, read-only, with its pull policy and secret', () => {
  const {volumes, mounts, pullSecrets} = withVolumes({
    name: 'root',
    containerDisk: {image: 'guests/debian:13', imagePullPolicy: 'Never', imagePullSecret: 'registry'},
  });
  expect(volumes).toContainEqual({name: 'volume-0', image: {reference: 'guests/debian:13', pullPolicy: 'Never'}});
  expect(mounts).toContainEqual({name: 'volume-0', mountPath: volumePath('root'), readOnly: true});
  expect(pullSecrets).toEqual(['registry']);
});

test('a claim is mounted where its disk is looked for', () => {
  const {volumes, mounts} = withVolumes({name: 'data', persistentVolumeClaim: {claimName: 'my-data'}});
  expect(volumes).toContainEqual({name: 'volume-0', persistentVolumeClaim: {claimName: 'my-data'}});
  expect(mounts).toContainEqual({name: 'volume-0', mountPath: volumePath('data')});
});

test('the Secrets of cloud-init are mounted, user data and network data apart', () => {
  const {volumes, mounts} = withVolumes({
    name: 'seed',
    cloudInitNoCloud: {secretRef: {name: 'user'}, networkDataSecretRef: {name: 'net'}},
  });
  expect(volumes).toContainEqual({name: 'volume-0-user', secret: {secretName: 'user', defaultMode: 0o440}});
  expect(volumes).toContainEqual({name: 'volume-0-network', secret: {secretName: 'net', defaultMode: 0o440}});
  expect(mounts).toContainEqual({
    name: 'volume-0-user',
    mountPath: cloudInitSecretPath('seed', 'user'),
    readOnly: true,
  });
  expect(mounts).toContainEqual({
    name: 'volume-0-network',
    mountPath: cloudInitSecretPath('seed', 'network'),
    readOnly: true,
  });
});

test('inline cloud-init data and an emptyDisk need nothing mounted', () => {
  const {volumes} = withVolumes(
    {name: 'seed', cloudInitNoCloud: {userData: '#cloud-config'}},
    {name: 'scratch', emptyDisk: {capacity: '1Gi'}},
  );
  expect(volumes).toHaveLength(2);
});

test('a kernel comes from its own image', () => {
  const {volumes, mounts} = podMounts(
    anInstanceSpec({
      domain: {
        memory: {guest: '256Mi'},
        devices: {},
        firmware: {kernelBoot: {container: {image: 'guests/tiny', kernelPath: '/boot/vmlinux'}}},
      },
    }),
    () => false,
  );
  expect(volumes).toContainEqual({name: PodLayout.kernelVolume, image: {reference: 'guests/tiny'}});
  expect(mounts).toContainEqual({name: PodLayout.kernelVolume, mountPath: PodLayout.kernel, readOnly: true});
});

test('names of pod volumes are unique and fit, whatever the volumes are called', () => {
  const long = 'v'.repeat(63);
  const {volumes} = withVolumes(
    {name: long, cloudInitNoCloud: {secretRef: {name: 'a'}}},
    {name: 'volume-0-user', persistentVolumeClaim: {claimName: 'b'}},
  );
  const names = volumes.map(volume => volume.name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.every(name => name.length <= 63)).toBe(true);
});

test('a pull secret that two images share is named once', () => {
  const disk = {image: 'guests/debian:13', imagePullSecret: 'registry'};
  expect(withVolumes({name: 'a', containerDisk: disk}, {name: 'b', containerDisk: disk}).pullSecrets).toEqual([
    'registry',
  ]);
});

test('a claim that is only read is mounted so, and asked for so', () => {
  const {volumes, mounts} = withVolumes({name: 'iso', persistentVolumeClaim: {claimName: 'c', readOnly: true}});
  expect(volumes).toContainEqual({name: 'volume-0', persistentVolumeClaim: {claimName: 'c', readOnly: true}});
  expect(mounts).toContainEqual({name: 'volume-0', mountPath: volumePath('iso'), readOnly: true});
});

test('the claim of an ephemeral disk cannot be written by its pod', () => {
  const {volumes, mounts} = withVolumes({name: 'root', ephemeral: {persistentVolumeClaim: {claimName: 'golden'}}});
  expect(volumes).toContainEqual({name: 'volume-0', persistentVolumeClaim: {claimName: 'golden'}});
  expect(mounts).toContainEqual({name: 'volume-0', mountPath: volumePath('root'), readOnly: true});
});

test('the Secrets of a config drive are mounted as those of a NoCloud seed', () => {
  const {volumes} = withVolumes({name: 'seed', cloudInitConfigDrive: {secretRef: {name: 'user'}}});
  expect(volumes).toContainEqual({name: 'volume-0-user', secret: {secretName: 'user', defaultMode: 0o440}});
});

test.each([
  ['configMap', {configMap: {name: 'c'}}, {configMap: {name: 'c', defaultMode: 0o440}}],
  [
    'an optional configMap',
    {configMap: {name: 'c', optional: true}},
    {configMap: {name: 'c', defaultMode: 0o440, optional: true}},
  ],
  ['secret', {secret: {secretName: 's'}}, {secret: {secretName: 's', defaultMode: 0o440}}],
  [
    'downwardAPI',
    {downwardAPI: {fields: [{path: 'labels', fieldRef: {fieldPath: 'metadata.labels'}}]}},
    {downwardAPI: {items: [{path: 'labels', fieldRef: {fieldPath: 'metadata.labels'}}], defaultMode: 0o440}},
  ],
  ['sysprep of a configMap', {sysprep: {configMap: {name: 'c'}}}, {configMap: {name: 'c', defaultMode: 0o440}}],
  ['sysprep of a secret', {sysprep: {secret: {name: 's'}}}, {secret: {secretName: 's', defaultMode: 0o440}}],
])('%s is mounted, only to be read, where its image is made from', (_, volume, source) => {
  const {volumes, mounts} = withVolumes({name: 'v', ...volume});
  expect(volumes).toContainEqual({name: 'volume-0', ...source});
  expect(mounts).toContainEqual({name: 'volume-0', mountPath: volumePath('v'), readOnly: true});
});

test('a serviceAccount volume has what a pod with a token of its own finds', () => {
  const {volumes} = withVolumes({name: 'token', serviceAccount: {serviceAccountName: 'robot'}});
  expect(volumes.find(({name}) => name === 'volume-0')?.projected).toEqual({
    defaultMode: 0o440,
    sources: [
      {serviceAccountToken: {path: 'token', expirationSeconds: 3607}},
      {configMap: {name: 'kube-root-ca.crt', items: [{key: 'ca.crt', path: 'ca.crt'}]}},
      {downwardAPI: {items: [{path: 'namespace', fieldRef: {fieldPath: 'metadata.namespace'}}]}},
    ],
  });
});

test('a claim in block mode is a device of the pod, and not mounted', () => {
  const {volumes, mounts, devices} = withVolumes(
    {name: 'data', persistentVolumeClaim: {claimName: 'device', readOnly: true}},
    {name: 'root', ephemeral: {persistentVolumeClaim: {claimName: 'device'}}},
  );
  expect(devices).toEqual([
    {name: 'volume-0', devicePath: '/dev/wherry/data'},
    {name: 'volume-1', devicePath: '/dev/wherry/root'},
  ]);
  expect(volumes).toContainEqual({name: 'volume-0', persistentVolumeClaim: {claimName: 'device', readOnly: true}});
  expect(mounts.map(({name}) => name)).not.toContain('volume-0');
});
