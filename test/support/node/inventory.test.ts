import {expect, test} from '@jest/globals';
import {descriptorKinds, differences, parseCounts} from './inventory.ts';

const unix = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 41 /run/a.sock
0000000000000000: 00000003 00000000 00000000 0001 03 42
`;
const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 43 1 0000000000000000 100 0 0 10 0
`;

test('descriptors are counted by what they are, sockets by their family', () => {
  const links = [
    'socket:[41]',
    'socket:[42]',
    'socket:[43]',
    'socket:[99]',
    'pipe:[7]',
    'anon_inode:[pidfd]',
    '/dev/null',
  ];
  expect(descriptorKinds(links, unix, tcp)).toEqual({
    'unix socket': 2,
    'TCP socket': 1,
    'other socket': 1,
    pipe: 1,
    'anon_inode:[pidfd]': 1,
    file: 1,
  });
});

test('only what changed is a difference, also what is new or gone', () => {
  expect(differences({mounts: 82, taps: 1, same: 3}, {mounts: 83, zombies: 2, same: 3})).toEqual([
    'mounts: 82 → 83',
    'taps: 1 → 0',
    'zombies: 0 → 2',
  ]);
  expect(differences({mounts: 82}, {mounts: 82})).toEqual([]);
});

test('names with blanks have counts too', () => {
  expect(parseCounts('mounts 82\nkubelet’s pod folders 6\n\n')).toEqual({mounts: 82, 'kubelet’s pod folders': 6});
});
