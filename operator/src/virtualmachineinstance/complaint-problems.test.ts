import {expect, test} from '@jest/globals';
import {anInstance} from '../testing/fixtures.ts';
import {anInstanceWorld} from '../testing/worlds.ts';
import {complaintProblem} from './complaint-problems.ts';
import type {Complaint} from './complaints.ts';

const volumes = [
  {name: 'root', containerDisk: {image: 'i'}},
  {name: 'seed', cloudInitNoCloud: {secretRef: {name: 'nope'}}},
];

const complaint = (reason: string, message: string, kind: Complaint['about']['kind'] = 'Pod'): Complaint => ({
  about: {kind, namespace: 'default', name: kind === 'Pod' ? 'launcher' : 'data', uid: 'u'},
  reason,
  message,
});

const problem = (...complaints: Complaint[]) =>
  complaintProblem(anInstanceWorld({vmi: anInstance({spec: {volumes}}), complaints}));

const mount = (cause: string, volume = 'volume-1-user') =>
  complaint('FailedMount', `MountVolume.SetUp failed for volume "${volume}" : ${cause}`);

test('a pod of which nobody complains has no problem', () => {
  expect(problem()).toBeUndefined();
  expect(problem(complaint('NodeNotReady', 'Node is not ready'))).toBeUndefined();
});

test('a missing Secret is named with what to do', () => {
  expect(problem(mount('secret "nope" not found'))).toEqual({
    reason: 'SecretNotFound',
    message: 'Secret nope does not exist in namespace default: create it',
  });
});

test('several are named in one sentence, each once', () => {
  const said = problem(mount('secret "b" not found'), mount('secret "a" not found'), mount('secret "b" not found'));
  expect(said?.message).toBe('Secrets a, b do not exist in namespace default: create them');
});

test('so is a missing ConfigMap', () => {
  expect(problem(mount('configmap "settings" not found'))).toEqual({
    reason: 'ConfigMapNotFound',
    message: 'ConfigMap settings does not exist in namespace default: create it',
  });
});

test('any other mount that fails is told in the kubelet’s words with the volume’s own name', () => {
  const timeOut = complaint('FailedMount', 'Unable to attach or mount volumes: unmounted volumes=[volume-1-user]');
  const cause = mount('references non-existent secret key: userdata');
  expect(problem(timeOut, cause)).toEqual({
    reason: 'FailedMount',
    message: 'MountVolume.SetUp failed for volume "seed" : references non-existent secret key: userdata',
  });
  expect(problem(timeOut)?.message).toContain('Unable to attach or mount volumes');
  expect(problem(mount('no such device', 'volume-7'))?.message).toContain('"volume-7"');
});

test('a volume that another node holds says that it serves one at a time', () => {
  const words = 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) other';
  expect(problem(complaint('FailedAttachVolume', words))).toEqual({
    reason: 'FailedAttachVolume',
    message: `${words}: a volume of access mode ReadWriteOnce serves one node at a time`,
  });
});

test('a network that cannot be made is told', () => {
  expect(problem(complaint('FailedCreatePodSandBox', 'cni says no'))).toEqual({
    reason: 'ContainerNotStarted',
    message: 'cni says no',
  });
});

test.each([
  ['ProvisioningFailed', 'storageclass.storage.k8s.io "fast" not found', 'create that StorageClass'],
  [
    'FailedBinding',
    'no persistent volumes available for this claim and no storage class is set',
    'make a PersistentVolume that fits',
  ],
  [
    'ExternalProvisioning',
    "Waiting for a volume to be created either by the external provisioner 'x' or manually",
    'check that the provisioner of its StorageClass runs',
  ],
  ['ProvisioningFailed', 'the pool is full', 'kubectl describe pvc data tells more'],
])('%s: a claim that cannot be bound tells its provisioner’s words and what to do', (reason, words, remedy) => {
  const said = problem(complaint(reason, words, 'PersistentVolumeClaim'));
  expect(said?.reason).toBe('VolumeNotBound');
  expect(said?.message).toMatch(/^PersistentVolumeClaim data is not bound: /);
  expect(said?.message).toContain(words);
  expect(said?.message).toContain(remedy);
});
