import {expect, test} from '@jest/globals';
import {type CollectedCpus, tableText} from './cpu-table.ts';

const collected: CollectedCpus = {
  version: '1.2.3',
  machineTypes: ['pc-q35-9.2', 'pc-q35-2.6', 'pc-q35-10.0', 'pc-q35-2.7'],
  features: ['b', 'a', 'b_', 'kvm-x', 'check'],
  models: [
    {name: 'New-v10', vendor: 'Us', features: ['a', 'b', 'check']},
    {name: 'New-v2', vendor: 'Us', features: ['b']},
  ],
  emulated: ['a'],
  bits: {b: '1/0/ECX/0', a: '7/0/EBX/5', b_: '1/0/ECX/0', 'kvm-x': '1073741825/0/EAX/1'},
};

test('machines come with the newest first, and without those that are too old for our devices', () => {
  expect([...tableText(collected).matchAll(/'(pc-q35-[^']*)'/g)].map(([, type]) => type)).toEqual([
    'pc-q35-10.0',
    'pc-q35-9.2',
    'pc-q35-2.7',
  ]);
});

test('features are bits of CPUID under one spelling, and sets of them are numbers', () => {
  const text = tableText(collected);
  expect(text).toContain(`  features: {\n    'a': '7/0/EBX/5',\n    'b': '1/0/ECX/0',\n  },`);
  expect(text).toContain(`  models: {\n    'New-v2': ['Us', '2'],\n    'New-v10': ['Us', '3'],\n  },`);
  expect(text).toContain(`emulated: '1'`);
});
