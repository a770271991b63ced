import {Label} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {aNode, withoutKvm} from '../testing/fixtures.ts';
import {chooseAccelerator} from './accelerator.ts';

const labelled = (labels: Record<string, string>) => aNode({labels});

test('a fitting node with a usable KVM means KVM', () => {
  expect(chooseAccelerator([withoutKvm, aNode()], {}, true)).toEqual({accelerator: 'kvm'});
});

test('a broken KVM is no KVM', () => {
  const broken = labelled({[Label.schedulable]: 'true', [Label.kvm]: 'broken'});
  expect(chooseAccelerator([broken], {}, true)).toEqual({accelerator: 'tcg'});
});

test('without KVM the guest is emulated only where the admin allows it', () => {
  expect(chooseAccelerator([withoutKvm], {}, true)).toEqual({accelerator: 'tcg'});
  const refused = chooseAccelerator([withoutKvm], {}, false);
  expect(refused.accelerator).toBeUndefined();
  expect(refused).toHaveProperty('message', expect.stringContaining('configuration.allowEmulation=true'));
});

test('a KVM node that the guest may not run on does not count when another node fits', () => {
  const kvm = labelled({[Label.schedulable]: 'true', [Label.kvm]: 'usable', zone: 'a'});
  const plain = labelled({[Label.schedulable]: 'true', [Label.kvm]: 'absent', zone: 'b'});
  expect(chooseAccelerator([kvm, plain], {nodeSelector: {zone: 'b'}}, true)).toEqual({accelerator: 'tcg'});
});

test('when no node fits the pod is made for what the cluster has, so that the scheduler says why', () => {
  expect(chooseAccelerator([aNode()], {nodeSelector: {zone: 'nowhere'}}, false)).toEqual({accelerator: 'kvm'});
  expect(chooseAccelerator([withoutKvm], {nodeSelector: {zone: 'nowhere'}}, true)).toEqual({accelerator: 'tcg'});
});

test('before any node-daemon is ready nothing is chosen, because the choice lasts as long as the guest', () => {
  const silent = labelled({[Label.kvm]: 'usable'});
  for (const nodes of [[], [silent]]) {
    const choice = chooseAccelerator(nodes, {}, true);
    expect(choice.accelerator).toBeUndefined();
    expect(choice).toHaveProperty('message', expect.stringContaining('node-daemon'));
  }
});
