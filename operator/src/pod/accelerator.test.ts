import {Label} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {aNode, withoutKvm} from '../testing/fixtures.ts';
import {chooseAccelerator} from './accelerator.ts';
import {anyCpu, cpuPlacement} from './cpu-placement.ts';

const labelled = (labels: Record<string, string>) => aNode({labels});

test('a fitting node with a usable KVM means KVM', () => {
  expect(chooseAccelerator([withoutKvm, aNode()], {}, anyCpu, true)).toEqual({accelerator: 'kvm'});
});

test('a broken KVM is no KVM', () => {
  const broken = labelled({[Label.schedulable]: 'true', [Label.kvm]: 'broken'});
  expect(chooseAccelerator([broken], {}, anyCpu, true)).toEqual({accelerator: 'tcg'});
});

test('without KVM the guest is emulated only where the admin allows it', () => {
  expect(chooseAccelerator([withoutKvm], {}, anyCpu, true)).toEqual({accelerator: 'tcg'});
  const refused = chooseAccelerator([withoutKvm], {}, anyCpu, false);
  expect(refused.accelerator).toBeUndefined();
  expect(refused).toHaveProperty('message', expect.stringContaining('configuration.allowEmulation=true'));
});

test('a KVM node that the guest may not run on does not count when another node fits', () => {
  const kvm = labelled({[Label.schedulable]: 'true', [Label.kvm]: 'usable', zone: 'a'});
  const plain = labelled({[Label.schedulable]: 'true', [Label.kvm]: 'absent', zone: 'b'});
  expect(chooseAccelerator([kvm, plain], {nodeSelector: {zone: 'b'}}, anyCpu, true)).toEqual({accelerator: 'tcg'});
});

test('when no node fits the pod is made for what the cluster has, so that the scheduler says why', () => {
  expect(chooseAccelerator([aNode()], {nodeSelector: {zone: 'nowhere'}}, anyCpu, false)).toEqual({accelerator: 'kvm'});
  expect(chooseAccelerator([withoutKvm], {nodeSelector: {zone: 'nowhere'}}, anyCpu, true)).toEqual({
    accelerator: 'tcg',
  });
});

test('before any node-daemon is ready nothing is chosen, because the choice lasts as long as the guest', () => {
  const silent = labelled({[Label.kvm]: 'usable'});
  for (const nodes of [[], [silent]]) {
    const choice = chooseAccelerator(nodes, {}, anyCpu, true);
    expect(choice.accelerator).toBeUndefined();
    expect(choice).toHaveProperty('message', expect.stringContaining('node-daemon'));
  }
});

const haswell = {[Label.schedulable]: 'true', [Label.kvm]: 'usable', 'cpu-model.node.kubevirt.io/Haswell': 'true'};
const wantsHaswell = cpuPlacement({domain: {devices: {}, cpu: {model: 'Haswell'}}});

test('a KVM whose CPU is not what the guest asks for does not count', () => {
  expect(chooseAccelerator([aNode(), labelled(haswell)], {}, wantsHaswell, false)).toEqual({accelerator: 'kvm'});
  expect(chooseAccelerator([aNode()], {}, wantsHaswell, true)).toEqual({accelerator: 'tcg'});
  expect(chooseAccelerator([aNode()], {}, wantsHaswell, false)).toMatchObject({
    accelerator: undefined,
    reason: 'NoNodeWithCPU',
    message: expect.stringContaining('labelled cpu-model.node.kubevirt.io/Haswell: change domain.cpu'),
  });
});
