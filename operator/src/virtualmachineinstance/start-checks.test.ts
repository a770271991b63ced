import {expect, test} from '@jest/globals';
import type {InstanceSpec} from '@wherry/api';
import {aNode, anInstance, withoutKvm} from '../testing/fixtures.ts';
import {anInstanceWorld} from '../testing/worlds.ts';
import {checkStart} from './start-checks.ts';

const domain = (extra: Partial<InstanceSpec['domain']>) =>
  anInstance({spec: {domain: {memory: {guest: '64Mi'}, devices: {}, ...extra}}});

const inZone = (timezone: string) => checkStart(anInstanceWorld({vmi: domain({clock: {timezone}}), nodes: [aNode()]}));

test('a clock in a zone that nobody knows is said before a pod is made', () => {
  expect(inZone('Mars/Olympus')).toEqual({
    problem: {
      reason: 'UnknownTimeZone',
      message: 'domain.clock.timezone Mars/Olympus is unknown: write one like Europe/Paris',
    },
  });
  expect(inZone('Europe/Paris')).toMatchObject({runner: {accelerator: 'kvm'}});
  expect(inZone('')).toMatchObject({runner: {accelerator: 'kvm'}});
});

const emulatedWithPcid = (policy: 'require' | 'optional') =>
  checkStart(anInstanceWorld({vmi: domain({cpu: {features: [{name: 'pcid', policy}]}}), nodes: [withoutKvm]}));

test('a CPU feature that is required and not emulated keeps a guest from starting in software', () => {
  expect(emulatedWithPcid('require')).toEqual({
    problem: {reason: 'CPUNotEmulated', message: expect.stringContaining('domain.cpu.features requires: pcid')},
  });
  expect(emulatedWithPcid('optional')).toMatchObject({runner: {accelerator: 'tcg'}});
});

test('a CPU that no KVM of the cluster has is named', () => {
  const vmi = domain({cpu: {model: 'EPYC'}});
  const world = anInstanceWorld({vmi, nodes: [aNode()]});
  expect(checkStart({...world, config: {...world.config, allowEmulation: false}})).toEqual({
    problem: {reason: 'NoNodeWithCPU', message: expect.stringContaining('cpu-model.node.kubevirt.io/EPYC')},
  });
  expect(checkStart(world)).toMatchObject({runner: {accelerator: 'tcg'}});
});
