import {expect, test} from '@jest/globals';
import type {Interface} from '@wherry/api';
import {instance} from '../testing/instances.ts';
import {effectiveMachine, type NodeFacts} from './effective-machine.ts';
import type {MachineInterface} from './interfaces.ts';

const facts: NodeFacts = {accelerator: 'kvm', mtu: 1450, vhost: true};

/** The one interface of an instance that asks for this. */
const nicOf = (asked: Partial<Interface>, pod: object = {}): MachineInterface => {
  const interfaces: Interface[] = [{name: 'default', model: 'virtio', masquerade: {}, ...asked}];
  const domain = {memory: {guest: '128Mi'}, devices: {interfaces}};
  return effectiveMachine(instance({spec: {domain, networks: [{name: 'default', pod}]}}), facts).interfaces[0]!;
};

test('an interface that asks for nothing is a virtio card behind the usual addresses, with all ports', () => {
  expect(nicOf({})).toMatchObject({
    model: 'virtio',
    mtu: 1450,
    tap: 'tap0',
    vhost: true,
    addresses: {gateway: '10.0.2.1', guest: '10.0.2.2', prefixLength: 24},
    ports: [],
    dhcpOptions: {},
    acpiIndex: undefined,
  });
});

test('the kernel serves the queues of virtio cards alone', () => {
  expect(nicOf({model: 'e1000e'})).toMatchObject({model: 'e1000e', vhost: false});
});

test('single ports and ranges are spans alike', () => {
  const ports = [
    {protocol: 'TCP', port: 80},
    {protocol: 'UDP', port: 53},
  ] as const;
  const portRanges = [{protocol: 'TCP', start: 8000, end: 8999}] as const;
  expect(nicOf({ports, portRanges}).ports).toEqual([
    {protocol: 'TCP', start: 80, end: 80},
    {protocol: 'UDP', start: 53, end: 53},
    {protocol: 'TCP', start: 8000, end: 8999},
  ]);
});

test('the addresses come from the network behind the interface', () => {
  expect(nicOf({}, {vmNetworkCIDR: '192.168.7.0/28'}).addresses).toEqual({
    gateway: '192.168.7.1',
    guest: '192.168.7.2',
    prefixLength: 28,
  });
});

test('index 0 is no index', () => {
  expect(nicOf({acpiIndex: 0}).acpiIndex).toBeUndefined();
  expect(nicOf({acpiIndex: 7}).acpiIndex).toBe(7);
});

test('a link is up unless it is said to be down', () => {
  expect([undefined, '', 'up', 'down'].map(state => nicOf(state === undefined ? {} : {state}).isLinkUp)).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

test('an interface is booted from where it has a number for that', () => {
  expect(nicOf({bootOrder: 2}).bootOrder).toBe(2);
  expect(nicOf({})).not.toHaveProperty('bootOrder');
});

test('an instance that wants no network of the pod has no interface', () => {
  const domain = {memory: {guest: '128Mi'}, devices: {autoattachPodInterface: false}};
  expect(effectiveMachine(instance({domain}), facts).interfaces).toEqual([]);
});
