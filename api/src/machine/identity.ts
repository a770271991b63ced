/** What a machine keeps from start to start, derived from the uid of its VirtualMachine so that nothing must store it. */
import {createHash} from 'node:crypto';
import type {ObjectMeta} from '../schema/index.ts';

const digest = (...parts: readonly string[]): Buffer => createHash('sha256').update(parts.join('\0')).digest();

/** The first `length` hexadecimal digits of a hash of the text. */
export const shortHash = (text: string, length: number): string => digest(text).toString('hex').slice(0, length);

/**
 * The uid that lasts as long as the machine: that of the VirtualMachine that owns the instance, else the instance's own.
 */
export const machineUid = (instance: {readonly metadata: ObjectMeta}): string => {
  const owner = instance.metadata.ownerReferences?.find(
    reference => reference.controller === true && reference.kind === 'VirtualMachine',
  );
  return owner?.uid ?? instance.metadata.uid ?? '';
};

/** A locally administered unicast MAC address, in lower case: the same for the same machine and interface. */
export const macAddressOf = (uid: string, interfaceName: string): string =>
  ['02', ...digest('mac', uid, interfaceName).toString('hex').slice(0, 10).match(/../g)!].join(':');

/** The firmware's UUID, in lower case: a name-based one (version 8 of RFC 9562, SHA-256), the same for the same machine. */
export const firmwareUuidOf = (uid: string): string => {
  const bytes = digest('firmware', uid).subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};

/** A MAC address as everything behind the spec writes it: lower case, with colons. */
export const normalMacAddress = (mac: string): string => mac.toLowerCase().replaceAll('-', ':');
