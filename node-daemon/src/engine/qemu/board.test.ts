import {expect, test} from '@jest/globals';
import {clockOf} from '../../machine/clock.ts';
import {featuresOf} from '../../machine/features.ts';
import {optionsOf} from '../../testing/arguments.ts';

const plain = 'memory-backend=ram0,usb=off,vmport=off,smm=off,hpet=off,dump-guest-core=off';

test('a machine has the type that it asks for, else the pinned one', () => {
  expect(optionsOf({}, '-machine')).toEqual([`pc-q35-10.0,${plain}`]);
  expect(optionsOf({machineType: 'pc-q35-8.2'}, '-machine')).toEqual([`pc-q35-8.2,${plain}`]);
});

test('what is switched off is switched off on the board', () => {
  const features = featuresOf({acpi: {enabled: false}});
  expect(optionsOf({features}, '-machine')).toEqual([`pc-q35-10.0,${plain},acpi=off`]);
  expect(optionsOf({features: featuresOf({acpi: {}})}, '-machine')).toEqual([`pc-q35-10.0,${plain}`]);
  const clock = clockOf({timer: {hpet: {}, pit: {present: false}}});
  expect(optionsOf({clock}, '-machine')).toEqual([`pc-q35-10.0,${plain.replace('hpet=off', 'hpet=on')},pit=off`]);
  expect(optionsOf({clock: clockOf({timer: {hpet: {present: false}}})}, '-machine')).toEqual([`pc-q35-10.0,${plain}`]);
});

test('serial number and chassis stand in SMBIOS, where there are any', () => {
  const system = 'type=1,manufacturer=KubeVirt,product=Wherry,family=KubeVirt';
  expect(optionsOf({}, '-smbios')).toEqual([system]);
  const labels = {serial: 'A-1', chassis: {manufacturer: 'Boats, Ltd.', version: '', sku: '7'}};
  expect(optionsOf({labels}, '-smbios')).toEqual([`${system},serial=A-1`, 'type=3,manufacturer=Boats,, Ltd.,sku=7']);
});
