import {bytesOf, type Domain} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {anInstanceSpec} from '../testing/fixtures.ts';
import {podResources} from './resources.ts';

const MiB = 1024 * 1024;
const resourcesOf = (domain: Partial<Domain>) =>
  podResources(anInstanceSpec({domain: {memory: {guest: '256Mi'}, devices: {}, ...domain}}), 'kvm');
const overheadOf = (memory: string | undefined, asked: number): number => (bytesOf(memory ?? '0') - asked) / MiB;

test('the guest’s memory is reserved, with the overhead on top', () => {
  const {requests, limits} = resourcesOf({});
  expect(overheadOf(requests['memory'], 256 * MiB)).toBe(65);
  expect(limits).toBeUndefined();
});

test('emulation reserves more', () => {
  const spec = anInstanceSpec();
  expect(bytesOf(podResources(spec, 'tcg').requests['memory'] ?? 0)).toBeGreaterThan(
    bytesOf(podResources(spec, 'kvm').requests['memory'] ?? 0),
  );
});

test('each vCPU asks for a tenth of a CPU', () => {
  expect(resourcesOf({}).requests['cpu']).toBe('100m');
  expect(resourcesOf({cpu: {cores: 2, sockets: 2}}).requests['cpu']).toBe('400m');
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
  expect(overheadOf(podResources(spec, 'kvm').requests['memory'], 512 * MiB)).toBe(65);
});

test('other resources are passed on as they are', () => {
  expect(resourcesOf({resources: {requests: {'ephemeral-storage': '2Gi'}}}).requests['ephemeral-storage']).toBe('2Gi');
});
