import {expect, test} from '@jest/globals';
import {
  cpuFeatureBits,
  cpuFeatureNames,
  cpuModelNames,
  emulatedCpuFeatures,
  featuresOfModel,
  vendorOfModel,
} from './cpu-table.ts';
import {cpuFeatures, namedCpuModel} from './cpu.ts';
import {hypervFeatures} from './hyperv.ts';
import {machineTypes, namedMachineType} from './machine-type.ts';

test('the model is left to the node unless one is named', () => {
  for (const model of [undefined, '', 'host-model', 'host-passthrough'])
    expect(namedCpuModel(model === undefined ? {} : {model})).toBeUndefined();
  expect(namedCpuModel(undefined)).toBeUndefined();
  expect(namedCpuModel({model: 'EPYC'})).toBe('EPYC');
});

test('a feature is required unless it says otherwise, and underscores are dashes', () => {
  const features = [{name: 'lahf_lm'}, {name: 'avx', policy: '' as const}, {name: 'aes', policy: 'optional' as const}];
  expect(cpuFeatures({cpu: {features}})).toEqual([
    {name: 'lahf-lm', policy: 'require'},
    {name: 'avx', policy: 'require'},
    {name: 'aes', policy: 'optional'},
  ]);
});

test("Hyper-V's nested state requires vmx, unless the spec speaks of vmx itself", () => {
  const features = {hyperv: {evmcs: {}}};
  expect(cpuFeatures({features})).toEqual([{name: 'vmx', policy: 'require'}]);
  const own = [{name: 'vmx', policy: 'optional' as const}];
  expect(cpuFeatures({cpu: {features: own}, features})).toEqual(own);
});

test('features of Hyper-V bring what they need, whatever is said of it', () => {
  expect([...hypervFeatures({hyperv: {synictimer: {}}})].toSorted()).toEqual(['synic', 'synictimer', 'vpindex']);
  expect([...hypervFeatures({hyperv: {ipi: {enabled: false}}})]).toEqual([]);
  expect([...hypervFeatures({})]).toEqual([]);
});

test('the table of processors is whole: what models have are features, and features have a place', () => {
  expect(cpuModelNames).toEqual(expect.arrayContaining(['EPYC', 'Haswell-noTSX-IBRS', 'Skylake-Server', 'qemu64']));
  expect(cpuModelNames).not.toContain('host');
  expect(vendorOfModel('EPYC')).toBe('AuthenticAMD');
  expect(featuresOfModel('EPYC').has('svm')).toBe(true);
  expect(featuresOfModel('Haswell').has('avx2')).toBe(true);
  expect(featuresOfModel('Nehalem').has('avx2')).toBe(false);
  expect(featuresOfModel('none').size).toBe(0);
  expect(cpuFeatureBits.get('avx2')).toEqual({leaf: 7, subleaf: 0, register: 'ebx', bit: 5});
  expect(cpuFeatureBits.get('nx')).toEqual({leaf: 0x8000_0001, subleaf: 0, register: 'edx', bit: 20});
  expect(cpuFeatureBits.size).toBe(cpuFeatureNames.length);
  expect(emulatedCpuFeatures.has('avx2')).toBe(true);
  expect(emulatedCpuFeatures.has('avx512f')).toBe(false);
});

test('q35 stands for the type of the engine', () => {
  expect([undefined, '', 'q35'].map(namedMachineType)).toEqual([undefined, undefined, undefined]);
  expect(namedMachineType('pc-q35-9.0')).toBe('pc-q35-9.0');
  expect(machineTypes[0]).toBe('pc-q35-10.0');
});
