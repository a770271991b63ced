import {expect, test} from '@jest/globals';
import type {PortSpan} from '../machine/interfaces.ts';
import {masqueradeRules} from './masquerade-rules.ts';

const addresses = {gateway: '10.0.2.1', guest: '10.0.2.2'};
const rules = (...ports: PortSpan[]): string =>
  masqueradeRules({tap: 'tap0', podAddress: '10.244.1.7', addresses, ports});
const tcp = (start: number, end = start): PortSpan => ({protocol: 'TCP', start, end});
const udp = (start: number, end = start): PortSpan => ({protocol: 'UDP', start, end});

test('the old table goes and the new one comes in one transaction', () => {
  const [declare, remove, add] = rules().split('\n');
  expect([declare, remove, add]).toEqual(['table ip wherry {}', 'delete table ip wherry', 'table ip wherry {']);
});

test('without ports everything for the pod goes to the guest, and connections of the pod itself', () => {
  expect(rules()).toContain('    ip daddr 10.244.1.7 dnat to 10.0.2.2\n');
  expect(rules()).toContain('    ip daddr { 127.0.0.1, 10.244.1.7 } meta l4proto { tcp, udp } dnat to 10.0.2.2\n');
});

test('declared ports alone are forwarded, each under its protocol', () => {
  const text = rules(tcp(80), udp(53), tcp(443));
  expect(text).toContain('    ip daddr 10.244.1.7 tcp dport { 80, 443 } dnat to 10.0.2.2\n');
  expect(text).toContain('    ip daddr 10.244.1.7 udp dport { 53 } dnat to 10.0.2.2\n');
  expect(text).toContain('    ip daddr { 127.0.0.1, 10.244.1.7 } tcp dport { 80, 443 } dnat to 10.0.2.2\n');
  expect(text).not.toContain('10.244.1.7 dnat');
});

test('ranges are forwarded as ranges, and what overlaps is named once, which nft insists on', () => {
  const text = rules(udp(6000, 6999), tcp(8080), tcp(8000, 8100), tcp(22), tcp(8100, 8200), tcp(8201), tcp(23));
  expect(text).toContain('tcp dport { 22-23, 8000-8201 } dnat');
  expect(text).toContain('udp dport { 6000-6999 } dnat');
});

test('a guest with a network of its own is known by its addresses there', () => {
  const text = masqueradeRules({
    tap: 'tap0',
    podAddress: '10.244.1.7',
    addresses: {gateway: '192.168.7.1', guest: '192.168.7.2'},
    ports: [],
  });
  expect(text).toContain('dnat to 192.168.7.2');
  expect(text).toContain('snat to 192.168.7.1');
  expect(text).not.toContain('10.0.2.');
});

test('the guest reaches nothing on the loopback of its pod, and sends from no address but its own', () => {
  expect(rules()).toContain('iifname "tap0" ip daddr 127.0.0.0/8 drop');
  expect(rules()).toContain('iifname "tap0" ip saddr != { 10.0.2.2, 0.0.0.0 } drop');
});

test('the world sees the pod, and the guest sees its gateway', () => {
  expect(rules()).toContain('oifname != "tap0" ip saddr 10.0.2.2 masquerade');
  expect(rules()).toContain('oifname "tap0" ip saddr { 127.0.0.1, 10.0.2.2 } snat to 10.0.2.1');
});
