import {join} from 'node:path';
import {cachedFolder} from '../../scripts/core/cached.ts';
import {fingerprint} from '../../scripts/core/fingerprint.ts';
import type {Progress} from '../../scripts/core/progress.ts';
import {alsoNamed, contentImage} from '../content-image.ts';
import {imageCache} from '../image-cache.ts';
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
