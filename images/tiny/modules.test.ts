import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, test} from '@jest/globals';
import {bootModules, type Dependencies, dependenciesIn, lateModules, loadOrder} from './modules.ts';

const dependencies: Dependencies = new Map([
  ['virtio_ring', []],
  ['virtio', ['virtio_ring']],
  ['virtio_pci', ['virtio', 'virtio_ring']],
  ['virtio_rng', ['virtio']],
]);

test('loads a module after all that it depends on, and each once', () => {
  expect(loadOrder(['virtio_pci', 'virtio-rng'], dependencies)).toEqual([
    'virtio_ring',
    'virtio',
    'virtio_pci',
    'virtio_rng',
  ]);
});

test('does not load again what is loaded', () => {
  expect(loadOrder(['virtio-rng'], dependencies, ['virtio', 'virtio_ring'])).toEqual(['virtio_rng']);
});

test('names a module that the kernel does not have', () => {
  expect(() => loadOrder(['ahci'], dependencies)).toThrow('no module ahci');
});

test('reads what a module depends on from its file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'modules-'));
  try {
    const write = (name: string, info: string): string => {
      const file = join(folder, name);
      writeFileSync(file, `\x7fELF\0license=GPL\0${info}name=x\0`, 'latin1');
      return file;
    };
    expect(dependenciesIn(write('two.ko', 'depends=virtio,virtio-ring\0'))).toEqual(['virtio', 'virtio_ring']);
    expect(dependenciesIn(write('none.ko', 'depends=\0'))).toEqual([]);
    expect(dependenciesIn(write('silent.ko', ''))).toEqual([]);
  } finally {
    rmSync(folder, {recursive: true});
  }
});

test('a module is loaded early or late, not both', () => {
  expect(bootModules.filter(module => lateModules.includes(module))).toEqual([]);
});
