import {expect, test} from '@jest/globals';
import {type Mapping, mappingsIn, qemuPartOf, qemuUse} from './smaps.ts';

const smaps = `7f0a1fe00000-7f0a2fe00000 rw-p 00000000 00:00 0 
Size:             262144 kB
KernelPageSize:        4 kB
Rss:              104464 kB
Pss:              104464 kB
Anonymous:        104464 kB
VmFlags: rd wr mr mw me ac dd hg mg 
7f0a30000000-7f0a33fff000 rwxp 00000000 00:00 0 
Size:              65532 kB
Rss:               63568 kB
Pss:               63568 kB
Anonymous:         63568 kB
55ace35aa000-55ace3c4c000 r-xp 0049c000 00:2ac 10437982                  /usr/bin/qemu-system-x86_64
Size:               6792 kB
Rss:                6256 kB
Pss:                 626 kB
Anonymous:             0 kB
`;

const mapping = (overrides: Partial<Mapping>): Mapping => ({
  permissions: 'rw-p',
  name: '',
  size: 8192,
  resident: 8192,
  proportional: 4096,
  anonymous: 0,
  isUndumped: false,
  ...overrides,
});

test('reads names, which may be empty, and sizes in bytes', () => {
  const [memory, code] = mappingsIn(smaps);
  expect(memory).toEqual({
    permissions: 'rw-p',
    name: '',
    size: 256 * 1024 * 1024,
    resident: 104464 * 1024,
    proportional: 104464 * 1024,
    anonymous: 104464 * 1024,
    isUndumped: true,
  });
  expect(code?.name).toBe('');
});

test('text that is something else is no empty process', () => {
  expect(() => mappingsIn('Rss: 12 kB\n')).toThrow('is it smaps?');
});

test.each<[string, Partial<Mapping>]>([
  ['guest memory', {size: 128 << 20, anonymous: 8192, isUndumped: true}],
  ['guest memory', {permissions: 'rw-s', name: '/memfd:guest-ram (deleted)'}],
  // Of a graphics card.
  ['own memory', {size: 16 << 20, anonymous: 8192, isUndumped: true}],
  // A heap that has grown.
  ['own memory', {size: 128 << 20, anonymous: 8192}],
  ['TCG buffer', {permissions: 'rwxp', anonymous: 8192}],
  ['kernel and initrd', {name: '/run/wherry-kernel/boot/vmlinux'}],
  ['own memory', {name: '[heap]', anonymous: 8192}],
  ['own memory', {name: '', anonymous: 8192}],
  ['own memory', {name: '/usr/lib/libc.so.6', anonymous: 8192}],
  ['code and libraries', {name: '/usr/lib/libc.so.6', permissions: 'r-xp'}],
])('%s is %j', (part, overrides) => {
  expect(qemuPartOf(mapping(overrides))).toBe(part);
});

test('sums each part as it is asked for', () => {
  const use = qemuUse(mappingsIn(smaps), 'proportional');
  expect(use['code and libraries']).toBe(626 * 1024);
  expect(qemuUse(mappingsIn(smaps), 'resident')['code and libraries']).toBe(6256 * 1024);
  expect(use['own memory']).toBe(0);
});
