import {bytesOf, type Domain} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {anInstanceSpec, config, runners} from '../testing/fixtures.ts';
import {type Allocation, podResources} from './resources.ts';

const MiB = 1024 * 1024;
const resourcesOf = (domain: Partial<Domain>, allocation: Partial<Allocation> = {}) =>
  podResources(anInstanceSpec({domain: {memory: {guest: '256Mi'}, devices: {}, ...domain}}), runners.kvm, {
    ...config,
    ...allocation,
  });
const overheadOf = (memory: string | undefined, asked: number): number => (bytesOf(memory ?? '0') - asked) / MiB;

test('the guest’s memory is reserved, with the overhead on top', () => {
  const {requests, limits} = resourcesOf({});
  expect(overheadOf(requests['memory'], 256 * MiB)).toBe(65);
  expect(limits).toBeUndefined();
});

test('emulation reserves more', () => {
  const spec = anInstanceSpec();
  expect(bytesOf(podResources(spec, runners.tcg, config).requests['memory'] ?? 0)).toBeGreaterThan(
    bytesOf(podResources(spec, runners.kvm, config).requests['memory'] ?? 0),
  );
});

test('a graphics card is reserved where the guest has one, asked for or of a type', () => {
  for (const devices of [{autoattachGraphicsDevice: true}, {video: {type: 'virtio'}}] as const)
    expect(overheadOf(resourcesOf({devices}).requests['memory'], 256 * MiB)).toBe(65 + 32);
  expect(overheadOf(resourcesOf({devices: {autoattachGraphicsDevice: false}}).requests['memory'], 256 * MiB)).toBe(65);
});

test('each vCPU asks for a tenth of a CPU', () => {
  expect(resourcesOf({}).requests['cpu']).toBe('100m');
  expect(resourcesOf({cpu: {cores: 2, sockets: 2}}).requests['cpu']).toBe('400m');
});

test('the cluster may say how many vCPUs share a CPU', () => {
  expect(resourcesOf({}, {cpuAllocationRatio: 1}).requests['cpu']).toBe('1000m');
  expect(resourcesOf({cpu: {cores: 2}}, {cpuAllocationRatio: 3}).requests['cpu']).toBe('667m');
});

test('the cluster may overcommit memory, of which the overhead is no part', () => {
  const {requests} = resourcesOf({}, {memoryOvercommit: 200});
  expect(overheadOf(requests['memory'], 128 * MiB)).toBe(65);
});

test('a machine that says what it reserves is not overcommitted any further', () => {
  const domain = {resources: {requests: {memory: '200Mi', cpu: '2'}}};
  expect(resourcesOf(domain, {memoryOvercommit: 200, cpuAllocationRatio: 2})).toEqual(resourcesOf(domain));
});

test('what the user asks of the CPU is passed on', () => {
  const {requests, limits} = resourcesOf({resources: {requests: {cpu: 2}, limits: {cpu: '4'}}});
  expect(requests['cpu']).toBe('2');
  expect(limits).toEqual({cpu: '4'});
});

test('a CPU limit alone is the request, too, as Kubernetes has it', () => {
  expect(resourcesOf({resources: {limits: {cpu: '3'}}}).requests['cpu']).toBe('3');
});

test('a smaller memory request than the guest’s memory overcommits the node', () => {
  const {requests} = resourcesOf({resources: {requests: {memory: '128Mi'}}});
  expect(overheadOf(requests['memory'], 128 * MiB)).toBe(65);
});

test('a memory limit gets the overhead on top as well, so that the guest never dies of ours', () => {
  const {requests, limits} = resourcesOf({resources: {limits: {memory: '512Mi'}}});
  expect(overheadOf(limits?.['memory'], 512 * MiB)).toBe(65);
  expect(overheadOf(requests['memory'], 256 * MiB)).toBe(65);
});

test('the guest’s memory may be given by the limit alone', () => {
  const spec = anInstanceSpec({domain: {devices: {}, resources: {limits: {memory: '512Mi'}}}});
  expect(overheadOf(podResources(spec, runners.kvm, config).requests['memory'], 512 * MiB)).toBe(66);
});

test('other resources are passed on as they are', () => {
  expect(resourcesOf({resources: {requests: {'ephemeral-storage': '2Gi'}}}).requests['ephemeral-storage']).toBe('2Gi');
});
