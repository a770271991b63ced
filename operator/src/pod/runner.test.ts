import {expect, test} from '@jest/globals';
import {type InstanceSpec, Label, NATIVE_MATRIX_VERSION} from '@wherry/api';
import {aNode, anInstance, withoutKvm} from '../testing/fixtures.ts';
import {chooseRunner} from './runner.ts';

const kernelBoot = {container: {image: 'linux', kernelPath: '/boot/vmlinuz'}};
/** It lies in the matrix. */
const domain: InstanceSpec['domain'] = {memory: {guest: '128Mi'}, devices: {}, firmware: {kernelBoot}};

const guest = (engine: string | undefined, spec: Partial<InstanceSpec> = {}) =>
  anInstance({
    spec: {domain, ...spec},
    metadata: {annotations: engine === undefined ? {} : {'wherry.dev/engine': engine}},
  });

const hasNative = (labels: Record<string, string> = {}) =>
  aNode({
    labels: {
      [Label.schedulable]: 'true',
      [Label.kvm]: 'usable',
      [Label.nativeMatrix]: NATIVE_MATRIX_VERSION,
      ...labels,
    },
  });

const choose = (
  ...[vmi, nodes = [hasNative()], emulation = false]: [ReturnType<typeof guest>, ReturnType<typeof aNode>[]?, boolean?]
) => chooseRunner(vmi, nodes, emulation);

const chosen = (engine: 'qemu' | 'native', reason: string | RegExp, accelerator = 'kvm') => ({
  runner: {engine, accelerator, reason: expect.stringMatching(reason)},
});

test('who leaves it open gets the native engine for a machine that it can run, on a node that has it', () => {
  for (const engine of [undefined, 'auto']) expect(choose(guest(engine))).toEqual(chosen('native', /it can run/));
});

test('who leaves it open gets QEMU where anything speaks against the native engine, and is told what', () => {
  const fromDisk = {domain: {...domain, firmware: {}}};
  expect(choose(guest('auto', fromDisk))).toEqual(chosen('qemu', /no firmware: it boots a kernelBoot alone/));
  expect(choose(guest(undefined), [aNode()])).toEqual(chosen('qemu', /no fitting node has the native engine/));
  expect(choose(guest(undefined), [withoutKvm], true)).toEqual(chosen('qemu', /needs KVM/, 'tcg'));
});

test('a node with the native engine that the guest may not run on does not count', () => {
  const nodes = [hasNative({zone: 'a'}), aNode({name: 'n2', labels: {...aNode().labels, zone: 'b'}})];
  expect(choose(guest(undefined, {nodeSelector: {zone: 'b'}}), nodes)).toEqual(chosen('qemu', /no fitting node/));
  expect(choose(guest(undefined, {nodeSelector: {zone: 'a'}}), nodes)).toEqual(chosen('native', /it can run/));
});

test('a node whose daemon knows another matrix does not count', () => {
  expect(choose(guest(undefined), [hasNative({[Label.nativeMatrix]: '0'})])).toEqual(chosen('qemu', /no fitting node/));
});

test('who asks for an engine gets it', () => {
  expect(choose(guest('qemu'))).toEqual(chosen('qemu', /asked for by the annotation/));
  expect(choose(guest('native'))).toEqual(chosen('native', /asked for by the annotation/));
  expect(choose(guest('qemu'), [withoutKvm], true)).toEqual(chosen('qemu', /asked for/, 'tcg'));
});

test('the native engine is refused for a machine outside of its matrix, with all that is outside', () => {
  const outside = {domain: {...domain, cpu: {sockets: 2}, features: {hypervPassthrough: {}}}};
  expect(choose(guest('native', outside))).toEqual({
    problem: {
      reason: 'UnsupportedEngine',
      message:
        'annotation wherry.dev/engine asks for the native engine, which has no topology but cores of one socket; ' +
        'no features of Hyper-V: change that, or use auto or qemu',
    },
  });
});

test('the native engine is refused where no node has it, and never replaced by emulation', () => {
  for (const nodes of [[], [aNode()], [withoutKvm]])
    expect(choose(guest('native'), nodes, true)).toEqual({
      problem: {reason: 'UnsupportedEngine', message: expect.stringContaining('wherry.dev/native-matrix=1')},
    });
});

test('where a node has it but does not fit, the scheduler says why', () => {
  expect(choose(guest('native', {nodeSelector: {zone: 'nowhere'}}))).toEqual(chosen('native', /asked for/));
});

test('without any runner the instance waits for one', () => {
  expect(choose(guest('auto'), [withoutKvm])).toMatchObject({problem: {reason: 'NoUsableKVM'}});
});
