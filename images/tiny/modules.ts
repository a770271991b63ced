import {readFileSync} from 'node:fs';

/** What the guest's init loads before anything else, in order of need; what these depend on goes before them. */
export const bootModules: readonly string[] = [
  'virtio_pci',
  'virtio_net',
  'virtio_blk',
  'virtio_console',
  'button',
  'evdev',
  'pvpanic-pci',
  'pvpanic-mmio',
];

/** What it loads once its login stands there: nothing waits for these. */
export const lateModules: readonly string[] = [
  'virtio-rng',
  'virtio_balloon',
  'virtio_input',
  'virtio_mem',
  'virtio_scsi',
  'sd_mod',
  'sr_mod',
  'isofs',
  'vfat',
  'nls_ascii',
  'nls_cp437',
  'virtiofs',
  'vmw_vsock_virtio_transport',
];

/** Kernel modules by name, each with the names of those that it depends on. */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

/**
 * The wanted modules and all that they need, each after what it depends on. Those in `loaded` are left out.
 * @throws Error that names a module which is not there.
 */
export function loadOrder(
  wanted: readonly string[],
  dependencies: Dependencies,
  loaded: readonly string[] = [],
): string[] {
  const order: string[] = [];
  const visit = (name: string): void => {
    const module = kernelName(name);
    if (order.includes(module) || loaded.includes(module)) return;
    const needs = dependencies.get(module);
    if (!needs) throw new Error(`the kernel has no module ${name}: is it built in, or is it of another kernel?`);
    needs.forEach(visit);
    order.push(module);
  };
  wanted.forEach(visit);
  return order;
}

/** A module's file may have dashes where the kernel, and other modules, write underscores. */
export const kernelName = (name: string): string => name.replaceAll('-', '_');

/** What a module file says that it depends on. */
export function dependenciesIn(file: string): string[] {
  const [, list = ''] = readFileSync(file, 'latin1').match(/\0depends=([^\0]*)\0/) ?? [];
  return list === '' ? [] : list.split(',').map(kernelName);
}
