import {expect, test} from '@jest/globals';
import {subjectOf} from './conformance.ts';

test('each engine is a subject, the native one with KVM alone', () => {
  expect(subjectOf({engine: 'qemu', accelerator: 'tcg'})).toEqual({engine: 'qemu', accelerator: 'tcg'});
  expect(subjectOf({engine: 'native', accelerator: 'kvm'})).toEqual({engine: 'native', accelerator: 'kvm'});
  expect(() => subjectOf({engine: 'native', accelerator: 'tcg'})).toThrow('the native engine needs KVM');
});

test('what is neither engine nor accelerator is named with what there is', () => {
  expect(() => subjectOf({engine: 'xen', accelerator: 'kvm'})).toThrow('there is no engine xen: take qemu or native');
  expect(() => subjectOf({engine: 'qemu', accelerator: 'hvf'})).toThrow('hvf is no accelerator');
});
