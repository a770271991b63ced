import {expect, test} from '@jest/globals';
import {interfaceModels} from '@wherry/api';
import type {MachineInterface} from '../../machine/interfaces.ts';
import {masqueradeAddresses} from '../../machine/masquerade.ts';
import {machine, nic} from '../../testing/machines.ts';
import {dhcpAnswers} from '../plan-parts.ts';
import {interfaceArgs} from './interfaces.ts';
import {qemuPlan} from './plan.ts';

/** The devices on the command line, and how many ports they take. */
const devices = (...interfaces: MachineInterface[]) => {
  let ports = 0;
  const boot = interfaces.map(({bootOrder}) => bootOrder);
  const args = interfaceArgs(interfaces, boot, () => `rp${ports++}`);
  const found = args.flatMap((arg, at) => (arg === '-device' ? [JSON.parse(args[at + 1]!) as object] : []));
  return {devices: found, ports};
};

test('a virtio card is what it always was: a guest keeps its hardware', () => {
  expect(interfaceArgs([nic()], [undefined], () => 'rp0')).toEqual([
    '-netdev',
    '{"type":"tap","id":"net0","fd":"{fd:tap0}","vhost":false}',
    '-device',
    '{"driver":"virtio-net-pci","id":"net-default","bus":"rp0","netdev":"net0","mac":"02:00:00:00:00:01","host_mtu":1450,"romfile":""}',
  ]);
});

test('cards of PCI Express are plugged into ports, and tell no MTU, which is for virtio alone', () => {
  for (const model of ['e1000e', 'igb'] as const) {
    expect(devices(nic({model}))).toEqual({
      ports: 1,
      devices: [{driver: model, id: 'net-default', bus: 'rp0', netdev: 'net0', mac: '02:00:00:00:00:01', romfile: ''}],
    });
  }
});

test('conventional cards share one bridge behind one port', () => {
  const models = ['e1000', 'rtl8139', 'ne2k_pci', 'pcnet'] as const;
  const {devices: found, ports} = devices(...models.map(model => nic({model, name: model})));
  expect(ports).toBe(1);
  expect(found).toEqual([
    {driver: 'pcie-pci-bridge', id: 'pci', bus: 'rp0'},
    ...models.map((model, index) =>
      expect.objectContaining({driver: model, id: `net-${model}`, bus: 'pci', addr: `0x${index + 1}.0x0`}),
    ),
  ]);
});

test('every model of the API is a device', () => {
  for (const model of interfaceModels) expect(devices(nic({model})).devices.at(-1)).toHaveProperty('driver');
});

test('a card is numbered for the names that the guest gives it', () => {
  expect(devices(nic({acpiIndex: 7})).devices).toEqual([expect.objectContaining({'acpi-index': 7})]);
});

test('a card in the boot order keeps its boot ROM, and its place', () => {
  const [card] = devices(nic({bootOrder: 3})).devices;
  expect(card).toMatchObject({bootindex: 3});
  expect(card).not.toHaveProperty('romfile');
});

const commandLine = (overrides: Parameters<typeof machine>[0]): string =>
  qemuPlan(machine(overrides), 0).engine.args.join(' ');

test('where any device has a boot order, the firmware tries no other', () => {
  const [root] = machine().disks;
  expect(commandLine({interfaces: [nic({bootOrder: 1})]})).toContain('-boot strict=on');
  expect(commandLine({disks: [{...root!, bootOrder: 2}]})).toContain('-boot strict=on');
  expect(commandLine({})).not.toContain('-boot');
});

const engine = (...isLinkUp: boolean[]) => {
  const interfaces = isLinkUp.map((up, index) => nic({name: `n${index}`, isLinkUp: up}));
  return qemuPlan(machine({interfaces}), 0).engine;
};

test('a link that is down is so before the guest runs, and a plan without one says nothing of links', () => {
  expect(engine(true, false).setup).toEqual([{execute: 'set_link', arguments: {name: 'net-n1', up: false}}]);
  expect(engine(true)).not.toHaveProperty('setup');
});

const answer = (overrides: Partial<MachineInterface>) => dhcpAnswers(machine({interfaces: [nic(overrides)]}))[0];

test('the guest is leased the addresses of its own network', () => {
  expect(answer({addresses: masqueradeAddresses('192.168.7.0/28')})).toMatchObject({
    address: '192.168.7.2',
    prefixLength: 28,
    router: '192.168.7.1',
  });
});

test('a plan that asks for nothing new says nothing new, so that an older launcher takes it', () => {
  for (const dhcpOptions of [{}, {ntpServers: [], privateOptions: []}]) {
    expect(answer({dhcpOptions})).not.toHaveProperty('options');
  }
});

test('a subdomain goes along, for the names below it', () => {
  expect(dhcpAnswers(machine({subdomain: 'web'}))[0]).toMatchObject({subdomain: 'web'});
  expect(answer({})).not.toHaveProperty('subdomain');
});

test('what the user adds to DHCP goes to the launcher as it is', () => {
  const dhcpOptions = {
    bootFileName: 'pxelinux.0',
    tftpServerName: '192.168.1.9',
    ntpServers: ['10.0.0.1'],
    privateOptions: [{option: 240, value: 'a'}],
  };
  expect(answer({dhcpOptions})).toMatchObject({options: dhcpOptions});
});
