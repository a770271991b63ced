import {join} from 'node:path';
import {cachedFolder} from '../../scripts/core/cached.ts';
import {fingerprint} from '../../scripts/core/fingerprint.ts';
import type {Progress} from '../../scripts/core/progress.ts';
import {alsoNamed, contentImage} from '../content-image.ts';
import {imageCache} from '../image-cache.ts';
import {qemuClosure} from '../qemu-closure.ts';
import {makeTinyDisk} from './disk.ts';
import {guestFiles, packInitrd} from './initrd.ts';
import {tinyParts, tinyPartsKey} from './parts.ts';

/** Paths of what the tiny guest boots from. */
export interface TinyGuest {
  readonly kernel: string;
  readonly initrd: string;
}

const initrdKey = async (): Promise<string> =>
  fingerprint({
    files: [guestFiles, join(import.meta.dirname, 'initrd.ts')],
    values: [await tinyPartsKey()],
  });

/** The tiny guest as files on this host, for a QEMU without a cluster. Made on first use and kept in the cache. */
export async function tinyGuest(progress: Progress): Promise<TinyGuest> {
  const {kernel, root} = await tinyParts(progress);
  const folder = await cachedFolder(imageCache(), 'tiny-initrd', await initrdKey(), partial =>
    packInitrd(root, join(partial, 'initrd')),
  );
  return {kernel, initrd: join(folder, 'initrd')};
}

/** The tiny guest as an image for `kernelBoot`: /boot/vmlinux and /boot/initrd. */
export async function tinyImage(progress: Progress): Promise<string> {
  const ref = await contentImage(progress, {
    repository: 'wherry/guest-tiny',
    dockerfile: join(import.meta.dirname, 'tiny.dockerfile'),
    ingredients: {values: [await initrdKey()]},
    context: async () => {
      const {kernel, initrd} = await tinyGuest(progress);
      return {'boot/vmlinux': {from: kernel}, 'boot/initrd': {from: initrd}};
    },
  });
  return alsoNamed(ref, 'wherry/guest-tiny:1');
}

const diskSources = ['disk.ts', 'grub.ts', '../debian-guest/boot-sectors.ts'];

const diskKey = async (): Promise<string> =>
  fingerprint({files: diskSources.map(file => join(import.meta.dirname, file)), values: [await initrdKey()]});

/** The tiny guest as a qcow2 file that boots by BIOS and by UEFI. Made on first use and kept in the cache. */
export async function tinyDisk(progress: Progress): Promise<string> {
  const {initrd} = await tinyGuest(progress);
  const {packedKernel} = await tinyParts(progress);
  const {bin} = await qemuClosure(progress);
  const folder = await cachedFolder(imageCache(), 'tiny-disk', await diskKey(), partial =>
    progress.step('make a disk that boots the tiny guest', say =>
      makeTinyDisk(join(partial, 'tiny.qcow2'), {kernel: packedKernel, initrd}, join(bin, 'qemu-img'), say),
    ),
  );
  return join(folder, 'tiny.qcow2');
}

/** The tiny guest as a containerDisk. Manifests know it as wherry/guest-tiny-disk:1. */
export async function tinyDiskImage(progress: Progress): Promise<string> {
  const ref = await contentImage(progress, {
    repository: 'wherry/guest-tiny-disk',
    dockerfile: join(import.meta.dirname, 'tiny-disk.dockerfile'),
    ingredients: {values: [await diskKey()]},
    context: async () => ({'disk/tiny.qcow2': {from: await tinyDisk(progress)}}),
  });
  return alsoNamed(ref, 'wherry/guest-tiny-disk:1');
}
