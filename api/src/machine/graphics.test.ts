import {expect, test} from '@jest/globals';
import {inputsOf, videoType} from './graphics.ts';

test.each([
  ['nothing is said', {}, undefined],
  ['a card is wanted', {autoattachGraphicsDevice: true}, 'vga'],
  ['no card is wanted', {autoattachGraphicsDevice: false}, undefined],
  ['a type is said', {video: {type: 'bochs'}}, 'bochs'],
  ['a card is wanted and its type is said', {autoattachGraphicsDevice: true, video: {type: 'virtio'}}, 'virtio'],
  ['an object of an earlier time says both', {autoattachGraphicsDevice: false, video: {type: 'vga'}}, undefined],
  ['video says nothing', {video: {}}, undefined],
] as const)('where %s the card is that', (_when, devices, card) => {
  expect(videoType({devices})).toBe(card);
});

test('a guest that starts by UEFI gets the card that needs no VGA, unless it says otherwise', () => {
  const firmware = {bootloader: {efi: {secureBoot: false}}};
  expect(videoType({devices: {autoattachGraphicsDevice: true}, firmware})).toBe('bochs');
  expect(videoType({devices: {video: {type: 'vga'}}, firmware})).toBe('vga');
  expect(videoType({devices: {}, firmware})).toBeUndefined();
});

test('a guest has no tablet unless it is asked for', () => {
  expect(inputsOf({})).toEqual([]);
  expect(inputsOf({autoattachInputDevice: false})).toEqual([]);
});

test('one tablet is attached where it is wanted and none is listed', () => {
  expect(inputsOf({autoattachInputDevice: true})).toEqual([{name: 'default-0', type: 'tablet', bus: 'usb'}]);
  expect(inputsOf({autoattachInputDevice: true, inputs: [{name: 'pen', type: 'tablet'}]})).toHaveLength(1);
});

test('a tablet hangs on USB unless it says otherwise', () => {
  const inputs = [
    {name: 'a', type: ''},
    {name: 'b', type: 'tablet', bus: ''},
    {name: 'c', type: 'tablet', bus: 'virtio'},
  ];
  expect(inputsOf({inputs}).map(({bus}) => bus)).toEqual(['usb', 'usb', 'virtio']);
  expect(inputsOf({inputs}).map(({type}) => type)).toEqual(['tablet', 'tablet', 'tablet']);
});
