import {createSocket} from 'node:dgram';
import {openSync} from 'node:fs';
import {expect, jest} from '@jest/globals';
import {loadHost} from './load.ts';
import {openDescriptors, TestNetns, testNetns, testTap} from './testing.ts';

// The kernel waits for all its CPUs whenever an interface or a namespace goes.
jest.setTimeout(60_000);

const tap = {name: 'tap0', address: '10.0.2.1', prefixLength: 24, mtu: 1450, ownerUid: 107};
const failing = (code: string) => expect.objectContaining({code});

testTap('a tap is set up in the namespace and seen there alone', async () => {
  const host = loadHost();
  using netns = new TestNetns();
  const {tapFd, mtu} = await host.setUpTap(netns.fd, tap);
  expect(mtu).toBe(1450);
  expect(await host.linkInfo(netns.fd, 'tap0')).toEqual({
    name: 'tap0',
    index: expect.any(Number),
    mac: expect.stringMatching(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/),
    mtu: 1450,
    up: true,
    addresses: expect.arrayContaining(['10.0.2.1/24']),
    counters: expect.objectContaining({rxBytes: 0, rxPackets: 0, rxErrors: 0, rxDropped: 0}),
  });
  expect(netns.ip('addr', 'show', 'tap0')).toContain('10.0.2.1/24');
  const ours = openSync('/proc/self/ns/net', 'r');
  await expect(host.linkInfo(ours, 'tap0')).rejects.toThrow(failing('NotFound'));
  host.close(ours);
  host.close(tapFd);
  await expect(host.linkInfo(netns.fd, 'tap0')).rejects.toThrow(failing('NotFound'));
});

testTap('a tap in use is busy until it is let go or removed', async () => {
  const host = loadHost();
  using netns = new TestNetns();
  const {tapFd} = await host.setUpTap(netns.fd, tap);
  await expect(host.setUpTap(netns.fd, tap)).rejects.toThrow(failing('Busy'));
  expect(await host.removeTap(netns.fd, 'tap0')).toBe(true);
  expect(await host.removeTap(netns.fd, 'tap0')).toBe(false);
  host.close(tapFd);
  const again = await host.setUpTap(netns.fd, tap);
  host.close(again.tapFd);
});

testTap('the DHCP socket is bound and closes cleanly, and the link must be there', async () => {
  const host = loadHost();
  using netns = new TestNetns();
  const {tapFd} = await host.setUpTap(netns.fd, tap);
  const fd = await host.openDhcpSocket(netns.fd, 'tap0');
  // A second one on the same link shares the port: a daemon that died half-way tries again.
  host.close(await host.openDhcpSocket(netns.fd, 'tap0'));
  await expect(host.openDhcpSocket(netns.fd, 'tap1')).rejects.toThrow(failing('NotFound'));
  host.close(fd);
  host.close(tapFd);
});

testNetns('counters and MTU are those of the link', async () => {
  const host = loadHost();
  using netns = new TestNetns();
  expect(await host.linkMtu(netns.fd, 'lo')).toBe(65_536);
  expect(await host.interfaceCounters(netns.fd, 'lo')).toEqual({
    rxBytes: 0,
    rxPackets: 0,
    rxErrors: 0,
    rxDropped: 0,
    txBytes: 0,
    txPackets: 0,
    txErrors: 0,
    txDropped: 0,
  });
});

testTap('bad wishes are refused before anything is made', async () => {
  const host = loadHost();
  using netns = new TestNetns();
  await expect(host.setUpTap(netns.fd, {...tap, address: '10.0.2'})).rejects.toThrow(failing('InvalidArgument'));
  await expect(host.setUpTap(netns.fd, {...tap, prefixLength: 33})).rejects.toThrow(failing('InvalidArgument'));
  await expect(host.setUpTap(netns.fd, {...tap, prefixLength: 300})).rejects.toThrow(failing('InvalidArgument'));
  await expect(host.setUpTap(netns.fd, {...tap, name: '../../x'})).rejects.toThrow(failing('InvalidArgument'));
  await expect(host.setUpTap(netns.fd, {...tap, mtu: 10})).rejects.toThrow(failing('InvalidArgument'));
  await expect(host.setUpTap(netns.fd, {...tap, ownerUid: 2 ** 40})).rejects.toThrow(failing('InvalidArgument'));
  expect(netns.ip('link')).not.toContain('tap0');
});

testTap('fifty rounds in and out of a namespace leave no descriptor and this process where it was', async () => {
  const host = loadHost();
  using netns = new TestNetns();
  const round = async (): Promise<void> => {
    const {tapFd} = await host.setUpTap(netns.fd, tap);
    host.close(await host.openDhcpSocket(netns.fd, 'tap0'));
    await host.linkInfo(netns.fd, 'tap0');
    host.close(tapFd);
  };
  await round();
  const before = openDescriptors();
  for (let count = 0; count < 50; count += 1) await round();
  expect(openDescriptors()).toEqual(before);
  // Still in its own namespace: the loopback is up there and down in the test's.
  const socket = createSocket('udp4');
  await new Promise<void>(resolve => {
    socket.send('x', 9, '127.0.0.1', error => {
      expect(error).toBeNull();
      socket.close(() => resolve());
    });
  });
});

testNetns('the links of two hundred guests are read at once', async () => {
  const host = loadHost();
  using netns = new TestNetns();
  const links = await Promise.all(Array.from({length: 200}, async () => host.linkInfo(netns.fd, 'lo')));
  expect(new Set(links.map(link => link.name))).toEqual(new Set(['lo']));
});
