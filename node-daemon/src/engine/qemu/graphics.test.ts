import {expect, test} from '@jest/globals';
import type {MachineDevices} from '../../machine/devices.ts';
import {machine} from '../../testing/machines.ts';
import {qemuPlan} from './plan.ts';

const argsWith = (devices: Partial<MachineDevices>): readonly string[] =>
  qemuPlan(machine({devices: {...machine().devices, ...devices}}), 0).engine.args;
const devicesIn = (args: readonly string[]): readonly Record<string, unknown>[] =>
  args.flatMap((arg, index) => (args[index - 1] === '-device' ? [JSON.parse(arg) as Record<string, unknown>] : []));
const device = (id: string, args: readonly string[]) => devicesIn(args).find(one => one['id'] === id);

test('a machine has no screen, no USB and nothing to point with unless it is asked for', () => {
  const args = argsWith({});
  expect(args).not.toContain('-vnc');
  expect(devicesIn(args).map(one => one['id'])).not.toEqual(expect.arrayContaining(['video0']));
  expect(device('usb', args)).toBeUndefined();
});

test.each([
  ['vga', {driver: 'VGA', vgamem_mb: 16, bus: 'pcie.0', addr: '0x1e.0x0'}],
  ['cirrus', {driver: 'cirrus-vga', vgamem_mb: 16, bus: 'pcie.0', addr: '0x1e.0x0'}],
  ['bochs', {driver: 'bochs-display', vgamem: 16 * 1024 ** 2, bus: 'pcie.0', addr: '0x1e.0x0'}],
  ['virtio', {driver: 'virtio-vga', bus: 'pcie.0', addr: '0x1e.0x0'}],
  ['ramfb', {driver: 'ramfb'}],
] as const)('a card of the type %s is looked at through a socket in the pod', (video, card) => {
  const args = argsWith({video});
  expect(device('video0', args)).toEqual({id: 'video0', ...card});
  expect(args[args.indexOf('-vnc') + 1]).toBe('unix:/run/wherry/vnc.sock');
});

test('tablets on USB share one controller', () => {
  const inputs = ['pen', 'touch'].map(name => ({name, type: 'tablet', bus: 'usb'}) as const);
  const args = argsWith({inputs});
  expect(device('usb', args)).toMatchObject({driver: 'qemu-xhci', addr: '0x1.0x3'});
  expect(device('input-pen', args)).toEqual({driver: 'usb-tablet', id: 'input-pen', bus: 'usb.0', port: '1'});
  expect(device('input-touch', args)).toMatchObject({port: '2'});
});

test('a virtio tablet needs no USB, and comes after interfaces and disks on the ports', () => {
  const args = argsWith({inputs: [{name: 'pen', type: 'tablet', bus: 'virtio'}]});
  expect(device('usb', args)).toBeUndefined();
  expect(device('net-default', args)).toMatchObject({bus: 'rp0'});
  expect(device('input-pen', args)).toEqual({driver: 'virtio-tablet-pci', id: 'input-pen', bus: 'rp4'});
  expect(devicesIn(args).filter(one => one['driver'] === 'pcie-root-port')).toHaveLength(5 + 4);
});
