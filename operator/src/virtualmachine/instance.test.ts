import {Annotation, Finalizer} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {aMachine, anInstanceSpec} from '../testing/fixtures.ts';
import {instanceOf, outdatedFields} from './instance.ts';

test('an instance has its machine’s name, owner and finalizer', () => {
  const {metadata} = instanceOf(aMachine({metadata: {generation: 4}}));
  expect(metadata).toMatchObject({
    name: 'web',
    namespace: 'default',
    finalizers: [Finalizer.instance],
    ownerReferences: [{kind: 'VirtualMachine', name: 'web', uid: 'vm-uid', controller: true, blockOwnerDeletion: true}],
    annotations: {[Annotation.vmGeneration]: '4'},
  });
});

test('labels and annotations come from the template, not from the machine', () => {
  const template = {metadata: {labels: {app: 'web'}, annotations: {note: 'x'}}, spec: anInstanceSpec()};
  const {metadata} = instanceOf(aMachine({metadata: {labels: {mine: 'yes'}}, spec: {template}}));
  expect(metadata.labels).toEqual({app: 'web', 'vm.kubevirt.io/name': 'web'});
  expect(metadata.annotations).toMatchObject({note: 'x'});
});

test('two starts of one machine give the same instance: addresses and UUID last', () => {
  const first = instanceOf(aMachine());
  expect(instanceOf(aMachine())).toEqual(first);
  expect(first.spec.domain.firmware?.uuid).toMatch(/^[0-9a-f-]{36}$/);
  expect(first.spec.domain.devices.interfaces?.[0]?.macAddress).toMatch(/^02:/);
});

test('another machine of the same name has other addresses', () => {
  const other = instanceOf(aMachine({metadata: {uid: 'other'}}));
  expect(other.spec.domain.firmware?.uuid).not.toBe(instanceOf(aMachine()).spec.domain.firmware?.uuid);
});

test('a run is up to date with the template that it was made from', () => {
  const vm = aMachine();
  expect(outdatedFields(vm, instanceOf(vm))).toEqual([]);
});

test('what a newer release derives in addition makes no run outdated', () => {
  const vm = aMachine();
  const older = {...instanceOf(vm), spec: vm.spec.template.spec};
  expect(outdatedFields(vm, older)).toEqual([]);
});

test('a change of the template is named', () => {
  const vm = aMachine({template: {domain: {memory: {guest: '512Mi'}, devices: {}}}});
  expect(outdatedFields(vm, instanceOf(aMachine()))).toEqual(['domain.memory.guest']);
});

test('a start that is asked for paused makes a guest that waits, and leaves the run up to date', () => {
  const vm = aMachine();
  const vmi = instanceOf(vm, true);
  expect(vmi.spec.startStrategy).toBe('Paused');
  expect(outdatedFields(vm, vmi)).toEqual([]);
});

test('a template that wants its guests paused by now is a change', () => {
  const vm = aMachine({template: {startStrategy: 'Paused'}});
  expect(outdatedFields(vm, instanceOf(aMachine()))).toEqual(['startStrategy']);
});
