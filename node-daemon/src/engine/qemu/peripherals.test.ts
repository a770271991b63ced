import {expect, test} from '@jest/globals';
import type {MachineDevices} from '../../machine/devices.ts';
import {machine} from '../../testing/machines.ts';
import {qemuPlan} from './plan.ts';

const argsWith = (devices: Partial<MachineDevices>): readonly string[] =>
  qemuPlan(machine({devices: {...machine().devices, ...devices}}), 0).engine.args;
const valueOf = (option: string, args: readonly string[]): string | undefined => args[args.indexOf(option) + 1];
const device = (id: string, args: readonly string[]): unknown =>
  args
    .filter((_arg, index) => args[index - 1] === '-device')
    .map(arg => JSON.parse(arg) as {id: string})
    .find(one => one.id === id);

test.each(['reset', 'shutdown', 'poweroff'] as const)('a watchdog whose action is %s', watchdog => {
  const args = argsWith({watchdog});
  expect(device('watchdog0', args)).toEqual({driver: 'i6300esb', id: 'watchdog0', bus: 'pcie.0', addr: '0x1.0x4'});
  expect(valueOf('-action', args)).toBe(`reboot=reset,shutdown=poweroff,panic=exit-failure,watchdog=${watchdog}`);
});

test('a sound card of each model plays into nothing', () => {
  const ich9 = argsWith({sound: 'ich9'});
  expect(valueOf('-audiodev', ich9)).toBe('none,id=audio0');
  expect(device('sound0', ich9)).toMatchObject({driver: 'ich9-intel-hda', addr: '0x1.0x5'});
  expect(device('sound0-codec', ich9)).toMatchObject({driver: 'hda-duplex', bus: 'sound0.0', audiodev: 'audio0'});
  expect(device('sound0', argsWith({sound: 'ac97'}))).toMatchObject({driver: 'AC97', audiodev: 'audio0'});
});

test('a panic device on PCI stands beside the one that every guest has', () => {
  const args = argsWith({pciPanic: true});
  expect(device('panic1', args)).toMatchObject({driver: 'pvpanic-pci', addr: '0x1.0x6'});
  expect(device('panic0', args)).toMatchObject({driver: 'pvpanic'});
});

test('a guest that asks for none of them has none', () => {
  const args = argsWith({});
  for (const id of ['watchdog0', 'sound0', 'panic1']) expect(device(id, args)).toBeUndefined();
  expect(args).not.toContain('-audiodev');
});
