import {expect, test} from '@jest/globals';
import {DaemonLease, daemonLeaseOf, nodeOfDaemonLease} from './daemon-lease.ts';

test('a Lease is named after its node, and the node is found by it', () => {
  expect(daemonLeaseOf('worker-1')).toBe('node-daemon-worker-1');
  expect(nodeOfDaemonLease(daemonLeaseOf('a.b.example.com'))).toBe('a.b.example.com');
});

test('a node that is called as the operators’ Lease does not get it', () => {
  expect(daemonLeaseOf('wherry-operator')).not.toBe('wherry-operator');
  expect(nodeOfDaemonLease('wherry-operator')).toBeUndefined();
});

test('a daemon misses several renewals before its Lease runs out', () => {
  expect(DaemonLease.durationSeconds / DaemonLease.renewals).toBe(10);
});
