import {expect, test} from '@jest/globals';
import {finalizerPatch} from './finalizers.ts';
import {aMachine} from './testing/fixtures.ts';

const vm = aMachine({metadata: {resourceVersion: '5', finalizers: ['theirs', 'ours']}});

test('adding keeps the finalizers of others and adds once', () => {
  expect(finalizerPatch(vm, 'new', 'add')).toEqual({
    metadata: {resourceVersion: '5', finalizers: ['theirs', 'ours', 'new']},
  });
  expect(finalizerPatch(vm, 'ours', 'add')).toMatchObject({metadata: {finalizers: ['theirs', 'ours']}});
});

test('removing keeps the finalizers of others, and is refused when somebody wrote in between', () => {
  expect(finalizerPatch(vm, 'ours', 'remove')).toEqual({metadata: {resourceVersion: '5', finalizers: ['theirs']}});
});
