import {expect, test} from '@jest/globals';
import {machine} from '../../testing/machines.ts';
import {optionsOf} from '../../testing/arguments.ts';
import {qemuPlan} from './plan.ts';

test('UEFI is read from the image, and its variables begin anew with each run', () => {
  const loader = {kind: 'efi'} as const;
  expect(optionsOf({loader}, '-machine')[0]).toMatch(/,pflash0=efi-code,pflash1=efi-variables$/);
  const [code, variables] = optionsOf({loader, disks: []}, '-blockdev').map(one => JSON.parse(one) as object);
  expect(code).toEqual({
    driver: 'raw',
    'node-name': 'efi-code',
    'read-only': true,
    file: {driver: 'file', filename: '/usr/share/OVMF/OVMF_CODE_4M.fd', 'read-only': true},
  });
  expect(variables).toEqual({
    driver: 'qcow2',
    'node-name': 'efi-variables',
    file: {driver: 'file', filename: '/var/lib/wherry/efi-variables.qcow2'},
  });
  expect(qemuPlan(machine({loader, disks: []}), 0).files).toEqual([
    {make: 'overlay', path: '/var/lib/wherry/efi-variables.qcow2', backing: '/usr/share/OVMF/OVMF_VARS_4M.fd'},
  ]);
});

test('SeaBIOS writes to the serial console where it is asked to', () => {
  expect(optionsOf({loader: {kind: 'bios', onSerial: true}}, '-machine')[0]).toMatch(/,graphics=off$/);
  expect(optionsOf({loader: {kind: 'bios', onSerial: false}}, '-machine')[0]).not.toMatch('graphics');
});
