/** QEMU with what it needs, from Debian packages: the content of the launcher image, and a QEMU for tests on the host. */

import {chmod, mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {cachedFolder} from '../scripts/core/cached.ts';
import {run} from '../scripts/core/command.ts';
import {fingerprint} from '../scripts/core/fingerprint.ts';
import {type Progress, progress as standardProgress} from '../scripts/core/progress.ts';
import {copyClosure, libraries} from './debian/closure.ts';
import {withDebianTree} from './debian/tree.ts';
import {imageCache} from './image-cache.ts';

/** Trixie's QEMU, which is 10.0 for the life of that release. */
const suite = 'trixie';
const packages = ['qemu-system-x86', 'qemu-utils', 'seabios', 'ovmf', 'ipxe-qemu', 'libgcc-s1'];
const programs = ['usr/bin/qemu-system-x86_64', 'usr/bin/qemu-img'];

/** Devices that Debian keeps out of the program, and where QEMU looks for them. */
const moduleFolder = `${libraries}/qemu`;
const modules = ['hw-display-virtio-gpu', 'hw-display-virtio-gpu-pci', 'hw-display-virtio-vga'];

/** Cards that can boot from the network: each ROM serves SeaBIOS and UEFI. */
const bootRoms = ['virtio', 'e1000', 'e1000e', 'rtl8139', 'ne2k_pci', 'pcnet'].map(card => `efi-${card}.rom`);

const graphics = ['stdvga', 'cirrus', 'bochs-display', 'virtio', 'ramfb'];

/**
 * SeaBIOS, UEFI without secure boot, the BIOS of each graphics card, iPXE for each network card, the option ROMs by which QEMU loads a kernel that
 * stands outside the guest's disks, and the keyboard layout without which it serves no VNC.
 */
const files: Readonly<Record<string, string>> = Object.fromEntries([
  ...['bios-256k.bin', ...graphics.map(card => `vgabios-${card}.bin`)].map(file => [
    `usr/share/seabios/${file}`,
    `usr/share/qemu/${file}`,
  ]),
  ...bootRoms.map(file => [`usr/share/qemu/${file}`, `usr/share/qemu/${file}`]),
  ...modules.map(name => [`${moduleFolder}/${name}.so`, `${moduleFolder}/${name}.so`]),
  ['usr/share/qemu/keymaps/en-us', 'usr/share/qemu/keymaps/en-us'],
  ...['kvmvapic.bin', 'linuxboot.bin', 'linuxboot_dma.bin', 'pvh.bin', 'multiboot_dma.bin'].map(file => [
    `usr/share/qemu/${file}`,
    `usr/share/qemu/${file}`,
  ]),
  ...['OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd'].map(file => [`usr/share/OVMF/${file}`, `usr/share/OVMF/${file}`]),
]);

export interface QemuClosure {
  /** A root file system in which QEMU runs: /usr/bin/qemu-system-x86_64, /usr/bin/qemu-img. */
  readonly root: string;
  /** Folder of wrappers by the same names, which run QEMU on this host whatever its own libraries are. */
  readonly bin: string;
  /** Changes when the closure does. */
  readonly key: string;
}

/** The key alone, at once. */
export async function qemuKey(): Promise<string> {
  return fingerprint({
    files: [join(import.meta.dirname, 'debian'), import.meta.filename],
    values: [suite, ...packages],
  });
}

/** Made on first use, in some 30 s, and kept in the cache. */
export async function qemuClosure(progress: Progress = standardProgress()): Promise<QemuClosure> {
  const key = await qemuKey();
  const folder = await cachedFolder(imageCache(), 'qemu', key, partial =>
    progress.step('make a QEMU closure from Debian packages', say =>
      withDebianTree({suite, packages}, say, async tree => {
        const root = join(partial, 'root');
        await copyClosure(tree, root, {programs, files});
        await run('strip', ['--strip-unneeded', ...programs.map(program => join(root, program))]);
        await writeWrappers(join(partial, 'bin'));
      }),
    ),
  );
  return {root: join(folder, 'root'), bin: join(folder, 'bin'), key};
}

/** Path of the folder whose qemu-system-x86_64 and qemu-img run on this host. */
export async function qemuRoot(progress?: Progress): Promise<string> {
  return (await qemuClosure(progress)).bin;
}

async function writeWrappers(bin: string): Promise<void> {
  await mkdir(bin, {recursive: true});
  for (const program of programs) {
    const name = program.slice(program.lastIndexOf('/') + 1);
    const file = join(bin, name);
    await writeFile(file, wrapper(program, name === 'qemu-img' ? '' : ' -L "$root/usr/share/qemu"'));
    await chmod(file, 0o755);
  }
}

/** QEMU finds its firmware from where its executable lies; run through the loader, that is the loader. */
const wrapper = (program: string, firmwareOption: string): string => `#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/../root
export QEMU_MODULE_DIR="$root/${moduleFolder}"
exec "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/${libraries}" "$root/${program}"${firmwareOption} "$@"
`;
