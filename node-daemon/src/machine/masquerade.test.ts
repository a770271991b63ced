import {expect, test} from '@jest/globals';
import {isInside, masqueradeAddresses} from './masquerade.ts';

test('a guest is 10.0.2.2 behind 10.0.2.1 unless its network says otherwise', () => {
  const usual = {gateway: '10.0.2.1', guest: '10.0.2.2', prefixLength: 24};
  expect(masqueradeAddresses(undefined)).toEqual(usual);
  expect(masqueradeAddresses('')).toEqual(usual);
});

test('router and guest are the first two addresses of the network, whatever address of it is written', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['10.11.12.0/24', '10.11.12.1', '10.11.12.2'],
    ['10.11.12.99/24', '10.11.12.1', '10.11.12.2'],
    ['192.168.255.252/30', '192.168.255.253', '192.168.255.254'],
    ['172.16.0.0/12', '172.16.0.1', '172.16.0.2'],
    ['223.255.0.0/16', '223.255.0.1', '223.255.0.2'],
  ];
  for (const [cidr, gateway, guest] of table) {
    expect(masqueradeAddresses(cidr)).toEqual({gateway, guest, prefixLength: Number(cidr.split('/')[1])});
  }
});

test('an address of the guest’s own network is told from one outside', () => {
  const addresses = masqueradeAddresses('192.168.8.0/22');
  expect(['192.168.8.0', '192.168.11.255', '192.168.12.0', '10.0.2.2'].map(one => isInside(addresses, one))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
