import {expect, test} from '@jest/globals';
import {cpuFeatureBits, featuresOfModel} from '@wherry/api';
import type {Node} from '@wherry/kube';
import {type CpuidEntry, cpuLabels} from './cpuid.ts';
import {kvmReport} from './kvm-report.ts';
import {nodePatch} from './node-patch.ts';

const letters = (text: string): number => Buffer.from(text).readUInt32LE();
const intel: CpuidEntry = {
  leaf: 0,
  subleaf: 0,
  eax: 22,
  ebx: letters('Genu'),
  edx: letters('ineI'),
  ecx: letters('ntel'),
};

/** What the KVM of such a processor offers, in full words. */
const cpuidOf = (features: Iterable<string>): readonly CpuidEntry[] => {
  const words = new Map<string, {-readonly [K in keyof CpuidEntry]: CpuidEntry[K]}>();
  for (const name of features) {
    const {leaf, subleaf, register, bit} = cpuFeatureBits.get(name)!;
    const word = words.get(`${leaf}/${subleaf}`) ?? {leaf, subleaf, eax: 0, ebx: 0, ecx: 0, edx: 0};
    word[register] = (word[register] | (1 << bit)) >>> 0;
    words.set(`${leaf}/${subleaf}`, word);
  }
  return [intel, ...words.values()];
};

test('a node is labelled with the models and features that its KVM has, and with the nearest model', () => {
  const labels = cpuLabels(cpuidOf([...featuresOfModel('Haswell-noTSX')].filter(name => name !== 'tsc-deadline')));
  expect(labels).toMatchObject({
    'cpu-feature.node.kubevirt.io/avx2': 'true',
    'cpu-feature.node.kubevirt.io/tsc-deadline': 'true',
    'cpu-model.node.kubevirt.io/Haswell-noTSX': 'true',
    'cpu-model.node.kubevirt.io/Nehalem': 'true',
    'host-model-cpu.node.kubevirt.io/Haswell-noTSX': 'true',
  });
  expect(labels).not.toHaveProperty(['cpu-model.node.kubevirt.io/Haswell']);
  expect(labels).not.toHaveProperty(['cpu-feature.node.kubevirt.io/rtm']);
  expect(Object.keys(labels).filter(label => label.startsWith('host-model-cpu.'))).toHaveLength(1);
});

test('every label is one that Kubernetes takes', () => {
  for (const label of Object.keys(cpuLabels(cpuidOf(cpuFeatureBits.keys()))))
    expect(label).toMatch(/^[a-z.-]+\.node\.kubevirt\.io\/[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/);
});

test('the top bit of a word is a bit like others', () => {
  expect(cpuLabels(cpuidOf(['3dnow']))).toHaveProperty(['cpu-feature.node.kubevirt.io/3dnow']);
});

const say = (verdict: string, cpuid: unknown) => kvmReport(JSON.stringify({verdict, reason: 'r', cpuid})).cpuid;

test('a KVM that is not usable offers nothing, whatever it says', () => {
  expect(say('usable', [[1, 0, 2, 3, 4, 5]])).toEqual([{leaf: 1, subleaf: 0, eax: 2, ebx: 3, ecx: 4, edx: 5}]);
  expect(say('broken', [[1, 0, 2, 3, 4, 5]])).toEqual([]);
  expect(say('usable', 'many')).toEqual([]);
  expect(say('usable', [[1, 0, 2, 3, 4], 'x', [1, 0, 2, 3, 4, null]])).toEqual([]);
  expect(cpuLabels([])).toEqual({});
});

test('labels of a CPU that the node no longer has are taken away', () => {
  const gone = 'cpu-model.node.kubevirt.io/Haswell';
  const node: Node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: 'n1',
      labels: {'kubevirt.io/schedulable': 'true', 'wherry.dev/kvm': 'broken', [gone]: 'true', zone: 'a'},
      annotations: {'wherry.dev/kvm-reason': 'r'},
    },
  };
  const patch = nodePatch(node, {verdict: 'broken', reason: 'r', cpuid: []});
  expect(patch?.metadata.labels).toEqual({
    'kubevirt.io/schedulable': 'true',
    'wherry.dev/kvm': 'broken',
    [gone]: null,
  });
});
