import {expect, test} from '@jest/globals';
import type {Affinity, InstanceSpec} from '@wherry/api';
import {aNode, anInstance, config, runners} from '../testing/fixtures.ts';
import {cpuPlacement, nodeHasCpu, withForbidden} from './cpu-placement.ts';
import {renderPod} from './render.ts';

type Cpu = NonNullable<InstanceSpec['domain']['cpu']>;

const asking = (cpu: Cpu) => cpuPlacement({domain: {devices: {}, cpu}});
const picky: Cpu = {
  model: 'EPYC',
  features: [
    {name: 'lahf_lm'},
    {name: 'aes', policy: 'require'},
    {name: 'avx', policy: 'force'},
    {name: 'avx2', policy: 'optional'},
    {name: 'pcid', policy: 'disable'},
    {name: 'svm', policy: 'forbid'},
  ],
};
const needs = [
  'cpu-model.node.kubevirt.io/EPYC',
  'cpu-feature.node.kubevirt.io/lahf-lm',
  'cpu-feature.node.kubevirt.io/aes',
];
const svm = 'cpu-feature.node.kubevirt.io/svm';

test('a node must have the model and what is required, and must not have what is forbidden', () => {
  expect(asking(picky)).toEqual({needs, forbids: [svm]});
  expect(asking({model: 'host-model', cores: 2})).toEqual({needs: [], forbids: []});
});

test('a node is known by its labels', () => {
  const labels = Object.fromEntries(needs.map(label => [label, 'true']));
  expect(nodeHasCpu(aNode({labels}), asking(picky))).toBe(true);
  expect(nodeHasCpu(aNode({labels: {...labels, [svm]: 'true'}}), asking(picky))).toBe(false);
  expect(nodeHasCpu(aNode({labels: {...labels, [needs[2]!]: 'false'}}), asking(picky))).toBe(false);
  expect(nodeHasCpu(aNode(), asking({}))).toBe(true);
});

const absent = {key: svm, operator: 'DoesNotExist'};
const zone = {key: 'zone', operator: 'In', values: ['a']} as const;
const terms = (...nodeSelectorTerms: object[]): Affinity => ({
  nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms}},
});

test("what is forbidden joins each alternative of the user's affinity", () => {
  const forbids = asking(picky);
  expect(withForbidden(undefined, forbids)).toEqual(terms({matchExpressions: [absent]}));
  expect(withForbidden(terms({matchExpressions: [zone]}, {matchFields: [zone]}), forbids)).toEqual(
    terms({matchExpressions: [zone, absent]}, {matchFields: [zone], matchExpressions: [absent]}),
  );
  // An empty alternative matches no node, and stays so.
  expect(withForbidden(terms({}), forbids)).toEqual(terms({}));
  expect(withForbidden(terms({matchExpressions: [zone]}), asking({}))).toEqual(terms({matchExpressions: [zone]}));
  const apart = {podAntiAffinity: {}} as Affinity;
  expect(withForbidden(apart, forbids)).toEqual({...apart, ...terms({matchExpressions: [absent]})});
});

test('the pod goes where the CPU is with KVM, and anywhere with emulation', () => {
  const vmi = anInstance({spec: {domain: {memory: {guest: '64Mi'}, devices: {}, cpu: picky}}});
  const kvm = renderPod(vmi, runners.kvm, config, new Map()).spec;
  expect(kvm?.nodeSelector).toMatchObject(Object.fromEntries(needs.map(label => [label, 'true'])));
  expect(kvm?.affinity).toEqual(terms({matchExpressions: [absent]}));
  const tcg = renderPod(vmi, runners.tcg, config, new Map()).spec;
  expect(tcg?.nodeSelector).toEqual({'kubevirt.io/schedulable': 'true'});
  expect(tcg?.affinity).toBeUndefined();
});
