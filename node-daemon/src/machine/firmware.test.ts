import {expect, test} from '@jest/globals';
import {labelsOf, loaderOf} from './firmware.ts';

const uuid = '5d307ca9-b3ef-828c-8861-06e72d69f223';

test('a machine starts by SeaBIOS unless it asks for UEFI', () => {
  expect(loaderOf({uuid})).toEqual({kind: 'bios', onSerial: false});
  expect(loaderOf({uuid, bootloader: {bios: {useSerial: true}}})).toEqual({kind: 'bios', onSerial: true});
  expect(loaderOf({uuid, bootloader: {efi: {secureBoot: false}}})).toEqual({kind: 'efi'});
});

test('empty texts say nothing', () => {
  expect(labelsOf({firmware: {uuid, serial: ''}, chassis: {sku: ''}})).toEqual({});
  expect(labelsOf({firmware: {uuid}, chassis: {}})).toEqual({});
  expect(labelsOf({firmware: {uuid, serial: 'a'}, chassis: {sku: 'b'}})).toEqual({serial: 'a', chassis: {sku: 'b'}});
});
