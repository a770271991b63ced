/** What the tiny guest takes from Debian packages: a kernel, its modules, and programs with their libraries. */

import {copyFile, mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {cachedFolder} from '../../scripts/core/cached.ts';
import {run} from '../../scripts/core/command.ts';
import {fingerprint} from '../../scripts/core/fingerprint.ts';
import type {Progress} from '../../scripts/core/progress.ts';
import {copyClosure} from '../debian/closure.ts';
import {withDebianTree} from '../debian/tree.ts';
import {imageCache} from '../image-cache.ts';
import {elfKernel} from './elf-kernel.ts';
import {bootModules, type Dependencies, dependenciesIn, kernelName, lateModules, loadOrder} from './modules.ts';

/** Bookworm's kernel boots in less time under emulation than trixie's, and can take vCPUs while it runs there. */
const kernel = {suite: 'bookworm', packages: ['linux-image-cloud-amd64']} as const;
const userland = {
  suite: 'trixie',
  packages: ['busybox-static', 'dropbear-bin', 'qemu-guest-agent', 'libgcc-s1'],
} as const;
const programs = ['usr/sbin/dropbear', 'usr/bin/dropbearkey', 'usr/sbin/qemu-ga'];
/** A static program: it has no libraries to look for. */
const files = {'usr/bin/busybox': 'usr/bin/busybox'};

const sources = ['parts.ts', 'modules.ts', 'elf-kernel.ts', 'lz4.ts', '../debian'];

export interface TinyParts {
  /** The kernel as an ELF file. */
  readonly kernel: string;
  /** The same kernel as a boot loader wants it: it unpacks itself. */
  readonly packedKernel: string;
  /** Folder of a root with programs and libraries, and with the modules and the orders to load them in. */
  readonly root: string;
}

export const tinyPartsKey = (): Promise<string> =>
  fingerprint({files: sources.map(file => join(import.meta.dirname, file))});

/** Made on first use, in a minute or two, and kept in the cache. */
export async function tinyParts(progress: Progress): Promise<TinyParts> {
  const folder = await cachedFolder(imageCache(), 'tiny-parts', await tinyPartsKey(), partial =>
    progress.step("take the tiny guest's kernel and programs from Debian packages", async say => {
      const root = join(partial, 'root');
      await withDebianTree(userland, say, tree => copyClosure(tree, root, {programs, files}));
      await withDebianTree(kernel, say, async tree => {
        const [image] = (await readdir(join(tree, 'boot'))).filter(name => name.startsWith('vmlinuz-'));
        if (!image) throw new Error(`the package ${kernel.packages.join(' ')} brought no kernel`);
        await copyFile(join(tree, 'boot', image), join(partial, 'vmlinuz'));
        await writeFile(join(partial, 'vmlinux'), elfKernel(await readFile(join(tree, 'boot', image))));
        await copyModules(join(tree, 'lib/modules', image.replace('vmlinuz-', '')), root);
      });
    }),
  );
  return {
    kernel: join(folder, 'vmlinux'),
    packedKernel: join(folder, 'vmlinuz'),
    root: join(folder, 'root'),
  };
}

async function copyModules(from: string, root: string): Promise<void> {
  const files = new Map<string, string>();
  for (const path of await readdir(from, {recursive: true})) {
    if (path.endsWith('.ko')) files.set(kernelName(basename(path, '.ko')), join(from, path));
  }
  const dependencies: Dependencies = new Map([...files].map(([name, file]) => [name, dependenciesIn(file)]));
  const boot = loadOrder(bootModules, dependencies);
  const late = loadOrder(lateModules, dependencies, boot);
  const to = join(root, 'lib/modules');
  await mkdir(to, {recursive: true});
  for (const name of [...boot, ...late]) {
    await run('objcopy', ['--strip-debug', files.get(name) ?? '', join(to, `${name}.ko`)]);
  }
  await mkdir(join(root, 'etc'), {recursive: true});
  await writeFile(join(root, 'etc/modules.boot'), lines(boot));
  await writeFile(join(root, 'etc/modules.late'), lines(late));
}

const lines = (values: readonly string[]): string => values.map(value => `${value}\n`).join('');
