import {expect, test} from '@jest/globals';
import {kinds} from '../index.ts';
import {kindMessage, kindRefusals, refusedKind} from './kinds.ts';

test('a kind that is not served is found by its group, whatever the version', () => {
  for (const version of ['v1', 'v1beta1']) {
    expect(refusedKind(`pool.kubevirt.io/${version}`, 'VirtualMachinePool')?.instead).toBe(
      'make one VirtualMachine for each replica',
    );
  }
});

test('what is served, and the kinds of others, are not refused', () => {
  for (const {group, version, kind} of kinds) {
    expect([kind, refusedKind(`${group}/${version}`, kind)]).toEqual([kind, undefined]);
  }
  expect(refusedKind('v1', 'Pod')).toBeUndefined();
  expect(refusedKind('example.com/v1', 'VirtualMachinePool')).toBeUndefined();
});

test('each kind is named once, and its message says what to use instead', () => {
  const names = kindRefusals.map(({group, kind}) => `${kind}.${group}`);
  expect(new Set(names).size).toBe(names.length);
  for (const refusal of kindRefusals) {
    expect(kindMessage(refusal)).toMatch(/^[A-Z]\w+ of [a-z.]+ is not served: [a-z].{9,}[^.\s]$/);
  }
});
