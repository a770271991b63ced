import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import {firmwareUuidOf, macAddressOf, machineUid, normalMacAddress} from './identity.ts';

const uid = '6d4b1b3c-5a0e-4f57-9d8e-0f4f0d3c2b1a';

test('an address and a UUID never change for the same machine: guests know them by heart', () => {
  expect(macAddressOf(uid, 'default')).toBe('02:6e:ef:9a:53:47');
  expect(firmwareUuidOf(uid)).toBe('463bf99d-7421-8966-ba81-d0b8171ca8e3');
});

test('addresses are local, unicast, in lower case and never the reserved one', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.string({maxLength: 63}), (uid, name) => {
      expect(macAddressOf(uid, name)).toMatch(/^02(:[0-9a-f]{2}){5}$/);
      expect(macAddressOf(uid, name)).not.toBe('02:00:00:00:00:00');
    }),
  );
});

test('every interface of every machine has an address of its own', () => {
  const addresses = ['a', 'b'].flatMap(uid => ['c', 'd'].map(name => macAddressOf(uid, name)));
  expect(new Set(addresses).size).toBe(4);
  expect(macAddressOf('ab', 'c')).not.toBe(macAddressOf('a', 'bc'));
});

test('firmware UUIDs are valid, of version 8, one for each machine', () => {
  fc.assert(
    fc.property(fc.uuid(), uid => {
      expect(firmwareUuidOf(uid)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }),
  );
  expect(firmwareUuidOf('a')).not.toBe(firmwareUuidOf('b'));
});

test('an instance has the identity of the VirtualMachine that controls it, else its own', () => {
  const reference = {apiVersion: 'kubevirt.io/v1', name: 'web', uid: 'vm', controller: true};
  const own = (kind: string, controller: boolean) => ({
    metadata: {uid: 'vmi', ownerReferences: [{...reference, kind, controller}]},
  });
  expect(machineUid(own('VirtualMachine', true))).toBe('vm');
  expect(machineUid(own('VirtualMachine', false))).toBe('vmi');
  expect(machineUid(own('VirtualMachinePool', true))).toBe('vmi');
  expect(machineUid({metadata: {uid: 'vmi'}})).toBe('vmi');
});

test('an address is written in one way, however the user writes it', () => {
  expect(normalMacAddress('DE-AD-00-00-BE-AF')).toBe('de:ad:00:00:be:af');
  expect(normalMacAddress('de:ad:00:00:be:af')).toBe('de:ad:00:00:be:af');
});
