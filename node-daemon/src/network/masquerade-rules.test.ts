import {expect, test} from '@jest/globals';
import {masqueradeRules} from './masquerade-rules.ts';

const rules = (ports: {protocol: 'TCP' | 'UDP'; port: number}[] = []): string =>
  masqueradeRules({tap: 'tap0', podAddress: '10.244.1.7', ports});

test('the old table goes and the new one comes in one transaction', () => {
  const [declare, remove, add] = rules().split('\n');
  expect([declare, remove, add]).toEqual(['table ip wherry {}', 'delete table ip wherry', 'table ip wherry {']);
});

test('without ports everything for the pod goes to the guest, and connections of the pod itself', () => {
  expect(rules()).toContain('    ip daddr 10.244.1.7 dnat to 10.0.2.2\n');
  expect(rules()).toContain('    ip daddr { 127.0.0.1, 10.244.1.7 } meta l4proto { tcp, udp } dnat to 10.0.2.2\n');
});

test('declared ports alone are forwarded, each under its protocol', () => {
  const text = rules([
    {protocol: 'TCP', port: 80},
    {protocol: 'UDP', port: 53},
    {protocol: 'TCP', port: 443},
  ]);
  expect(text).toContain('    ip daddr 10.244.1.7 tcp dport { 80, 443 } dnat to 10.0.2.2\n');
  expect(text).toContain('    ip daddr 10.244.1.7 udp dport { 53 } dnat to 10.0.2.2\n');
  expect(text).toContain('    ip daddr { 127.0.0.1, 10.244.1.7 } tcp dport { 80, 443 } dnat to 10.0.2.2\n');
  expect(text).not.toContain('10.244.1.7 dnat');
});

test('the guest reaches nothing on the loopback of its pod, and sends from no address but its own', () => {
  expect(rules()).toContain('iifname "tap0" ip daddr 127.0.0.0/8 drop');
  expect(rules()).toContain('iifname "tap0" ip saddr != { 10.0.2.2, 0.0.0.0 } drop');
});

test('the world sees the pod, and the guest sees its gateway', () => {
  expect(rules()).toContain('oifname != "tap0" ip saddr 10.0.2.2 masquerade');
  expect(rules()).toContain('oifname "tap0" ip saddr { 127.0.0.1, 10.0.2.2 } snat to 10.0.2.1');
});
