import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import type {Console} from '../support/console.ts';
import {tinyKernelArgs, tinyVm} from '../support/guests.ts';
import {Cluster} from './cluster.ts';

jest.setTimeout(600_000);

const uuid = '5d307ca9-b3ef-428c-8861-06e72d69f223';
const ahead = 400 * 86_400;

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.open('machine');
  const {tiny, tinyDisk} = cluster.env.images;
  const container = {image: tiny, kernelPath: '/boot/vmlinux', initrdPath: '/boot/initrd'};
  await cluster.kubectl.apply(
    tinyVm('bios', tiny, {
      graceSeconds: 2,
      domain: {
        cpu: {
          cores: 1,
          model: 'Nehalem',
          features: [
            {name: 'aes', policy: 'force'},
            {name: 'sse4_2', policy: 'disable'},
            {name: 'pcid', policy: 'optional'},
          ],
        },
        machine: {type: 'pc-q35-9.2'},
        firmware: {
          uuid,
          serial: 'RACK-7',
          bootloader: {bios: {useSerial: true}},
          kernelBoot: {kernelArgs: tinyKernelArgs, container},
        },
        chassis: {manufacturer: 'Boats, Ltd.', version: 'v2', serial: 'B-1', asset: 'A-1', sku: 'S-1'},
        clock: {utc: {offsetSeconds: ahead}},
        features: {acpi: {enabled: false}, hyperv: {relaxed: {}}},
      },
    }),
    tinyVm('efi', tiny, {
      memory: '256Mi',
      disks: [{name: 'root', disk: {}}],
      volumes: [{name: 'root', containerDisk: {image: tinyDisk, imagePullPolicy: 'IfNotPresent'}}],
      domain: {
        firmware: {bootloader: {efi: {secureBoot: false}}},
        clock: {timezone: 'Pacific/Kiritimati', timer: {hpet: {}}},
      },
    }),
  );
});
afterAll(() => cluster?.close());

const consoles: Console[] = [];
afterAll(() => consoles.forEach(one => one.close()));

const at = async (name: string): Promise<Console> => {
  const console = await cluster.console(name);
  consoles.push(console);
  console.type('\n');
  await console.expect(/[#$] |login:/);
  return console;
};

/** The clock of the guest as it found it, in seconds behind ours: its kernel takes the time from the machine. */
const secondsBehind = async (console: Console): Promise<number> =>
  Math.round(Date.now() / 1000) - Number(await console.shell('date +%s'));

test('SeaBIOS speaks on the serial console where it is told to', async () => {
  await cluster.booted('bios', /SeaBIOS/);
  await cluster.booted('bios', /login:/);
});

test('a guest finds the labels, the processor, the clock and the ACPI that its machine was given', async () => {
  const console = await at('bios');
  const dmi = ['product_uuid', 'product_serial', 'chassis_vendor', 'chassis_version', 'chassis_serial'];
  dmi.push('chassis_asset_tag');
  expect(await console.shell(`cd /sys/class/dmi/id; cat ${dmi.join(' ')}`)).toBe(
    [uuid, 'RACK-7', 'Boats, Ltd.', 'v2', 'B-1', 'A-1'].join('\n'),
  );
  expect(await console.shell('grep -m1 "model name" /proc/cpuinfo')).toContain('Nehalem');
  const flags = (await console.shell('grep -m1 ^flags /proc/cpuinfo')).split(' ');
  expect(flags).toEqual(expect.arrayContaining(['aes', 'sse4_1']));
  expect(flags).not.toContain('sse4_2');
  const behind = await secondsBehind(console);
  expect(behind).toBeGreaterThan(-ahead - 60);
  expect(behind).toBeLessThan(-ahead + 60);
  // SeaBIOS makes some tables of its own; this one only QEMU makes.
  expect(await console.shell('ls /sys/firmware/acpi/tables')).not.toContain('WAET');
});

test('the instance says what board the guest has, and what emulation keeps from it', async () => {
  const {status} = await cluster.kubectl.json<{
    status: {machine: {type: string}; conditions: {type: string; message?: string}[]};
  }>('get', 'vmi', 'bios');
  expect(status.machine.type).toBe('pc-q35-9.2');
  const emulation = status.conditions.find(({type}) => type === 'SoftwareEmulation');
  if (emulation !== undefined)
    expect(emulation.message).toMatch(/starts without the CPU features pcid; features of Hyper-V$/);
});

test('a guest starts by UEFI, with a HPET and the time of its zone', async () => {
  await cluster.booted('efi', /login:/);
  const console = await at('efi');
  expect(await console.shell('cat /sys/firmware/efi/fw_platform_size')).toBe('64');
  expect(await console.shell('ls /sys/firmware/acpi/tables')).toMatch(/HPET.*WAET/s);
  expect(await console.shell('cat /sys/devices/system/clocksource/clocksource0/available_clocksource')).toContain(
    'hpet',
  );
  const behind = await secondsBehind(console);
  expect(behind).toBeGreaterThan(-14 * 3600 - 60);
  expect(behind).toBeLessThan(-14 * 3600 + 60);
});
