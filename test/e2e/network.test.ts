import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {eventually} from '../support/eventually.ts';
import {tinyVm} from '../support/guests.ts';
import {Cluster} from './cluster.ts';

jest.setTimeout(600_000);

const nic = {name: 'default', masquerade: {}};
const SCRIPT = '/var/www/boot.ipxe';

let cluster: Cluster;
/** Address of the pod whose guest serves; it boots while the guest without a link does. */
let server: string;
beforeAll(async () => {
  cluster = await Cluster.open('network');
  const {tiny} = cluster.env.images;
  const dhcpOptions = {
    bootFileName: 'pxelinux.0',
    tftpServerName: '192.168.1.9',
    ntpServers: ['192.168.1.1', '192.168.1.2'],
    privateOptions: [{option: 240, value: 'site-a'}],
  };
  const ports = [
    {name: 'web', port: 80},
    {name: 'dns', port: 5300, protocol: 'UDP'},
  ];
  const portRanges = [
    {protocol: 'TCP', start: 8000, end: 8099},
    {protocol: 'UDP', start: 6000, end: 6999},
  ];
  await cluster.kubectl.apply(
    tinyVm('server', tiny, {
      devices: {interfaces: [{...nic, ports, portRanges, dhcpOptions}]},
      spec: {networks: [{name: 'default', pod: {vmNetworkCIDR: '192.168.77.0/24'}}]},
    }),
    tinyVm('dark', tiny, {devices: {interfaces: [{...nic, state: 'down'}]}}),
  );
  await cluster.running('server');
  server = (await cluster.pod('server')).status.podIP ?? '';
}, 240_000);
afterAll(() => cluster?.close());

const shellOf = async (name: string): Promise<{run: (command: string) => Promise<string>; close: () => void}> => {
  await cluster.running(name);
  await cluster.booted(name, /login:/);
  const console = await cluster.console(name);
  console.type('\n');
  await console.expect(/[#$] |login:/);
  return {run: command => console.shell(command), close: () => console.close()};
};

test('a guest is told by DHCP what its interface says, on a network of its own', async () => {
  const {run, close} = await shellOf('server');
  try {
    expect(await run('ip -o -4 addr show eth0')).toContain('192.168.77.2/24');
    await run("printf '#!/bin/sh\\nenv >/tmp/lease\\n' >/tmp/note && chmod +x /tmp/note");
    await run('udhcpc -i eth0 -n -q -O 42 -O 66 -O 67 -O 240 -s /tmp/note >/dev/null 2>&1');
    const lease = await run('cat /tmp/lease');
    expect(lease).toContain('router=192.168.77.1');
    expect(lease).toContain('ntpsrv=192.168.1.1 192.168.1.2');
    expect(lease).toContain('tftp=192.168.1.9');
    expect(lease).toContain('siaddr=192.168.1.9');
    expect(lease).toContain('bootfile=pxelinux.0');
    expect(lease).toContain('boot_file=pxelinux.0');
    expect(lease).toContain(`opt240=${Buffer.from('site-a').toString('hex')}`);
  } finally {
    close();
  }
});

test('declared ports and ranges reach the guest under their protocol, and no others do', async () => {
  const [node = ''] = cluster.env.nodes;
  const {run, close} = await shellOf('server');
  // Datagrams to a port at which nobody listens: what reached the guest is counted there.
  const unheard = async (): Promise<number> => Number(await run("awk '/^Udp: [0-9]/{print $3}' /proc/net/snmp"));
  const say = (port: number) => cluster.onNode(node, 'bash', '-c', `echo hello >/dev/udp/${server}/${port}`);
  try {
    await run('httpd -p 81 -h /var/www; httpd -p 8099 -h /var/www');
    await cluster.http(`http://${server}:80/`);
    await cluster.http(`http://${server}:8099/`);
    // It serves inside the guest, but the pod does not forward to it.
    expect(await run('wget -qO- http://127.0.0.1:81/ | wc -l')).not.toBe('0');
    await expect(cluster.onNode(node, 'curl', '-sS', '--max-time', '5', `http://${server}:81/`)).rejects.toThrow(
      /Connection refused|Failed to connect|Could not connect/,
    );
    const before = await unheard();
    // In this order, so that those which must not arrive would have been counted before those which do.
    for (const port of [7000, 80, 5300, 6999]) await say(port);
    await eventually(async () => expect(await unheard()).toBe(before + 2));
  } finally {
    close();
  }
});

test('a guest whose link is down never sees it up, and its status says so', async () => {
  const {run, close} = await shellOf('dark');
  try {
    expect(await run('cat /sys/class/net/eth0/carrier /sys/class/net/eth0/carrier_up_count')).toBe('0\n0');
    expect(await run('ip -o -4 addr show eth0')).toBe('');
  } finally {
    close();
  }
  expect((await cluster.vmi('dark')).status?.interfaces).toEqual([expect.objectContaining({linkState: 'down'})]);
});

test('a guest with a boot order at its card alone boots from the network, through an e1000e', async () => {
  const {run, close} = await shellOf('server');
  try {
    // iPXE names the card by its driver and shows the address that it was leased.
    await run(`printf '#!ipxe\\necho wherry:\${net0/chip}:\${net0/ip}\\nsleep 600\\n' >${SCRIPT}`);
    expect(await run(`head -n 1 ${SCRIPT}`)).toBe('#!ipxe');
  } finally {
    close();
  }
  const bootFileName = `http://${server}/boot.ipxe`;
  await cluster.kubectl.apply(
    tinyVm('diskless', cluster.env.images.tiny, {
      graceSeconds: 0,
      domain: {firmware: {bootloader: {bios: {useSerial: true}}}},
      devices: {interfaces: [{...nic, model: 'e1000e', bootOrder: 1, dhcpOptions: {bootFileName}}]},
    }),
  );
  await cluster.running('diskless');
  await cluster.booted('diskless', /wherry:82574l:10\.0\.2\.2/);
});
