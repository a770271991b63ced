import {join} from 'node:path';
import {cachedFolder} from '../../scripts/core/cached.ts';
import {fingerprint} from '../../scripts/core/fingerprint.ts';
import type {Progress} from '../../scripts/core/progress.ts';
import {alsoNamed, contentImage} from '../content-image.ts';
import {imageCache} from '../image-cache.ts';
import {qemuClosure} from '../qemu-closure.ts';
import {makeDisk} from './disk.ts';

const sources = ['rootfs.sh', 'root', 'boot-loader.ts', 'boot-sectors.ts', 'disk.ts', '../debian'];

const diskKey = (): Promise<string> => fingerprint({files: sources.map(file => join(import.meta.dirname, file))});

/** The disk as a qcow2 file on this host. Made on first use, in some minutes, and kept in the cache. */
export async function debianDisk(progress: Progress): Promise<string> {
  const {bin} = await qemuClosure(progress);
  const folder = await cachedFolder(imageCache(), 'debian-guest', await diskKey(), partial =>
    progress.step('install a Debian guest from packages', say =>
      makeDisk(join(partial, 'debian.qcow2'), join(bin, 'qemu-img'), say),
    ),
  );
  return join(folder, 'debian.qcow2');
}

/** Debian 13 with cloud-init as a containerDisk. Manifests know it as wherry/guest-debian:13. */
export async function debianImage(progress: Progress): Promise<string> {
  const ref = await contentImage(progress, {
    repository: 'wherry/guest-debian',
    dockerfile: join(import.meta.dirname, 'debian-guest.dockerfile'),
    ingredients: {values: [await diskKey()]},
    context: async () => ({'disk/debian.qcow2': {from: await debianDisk(progress)}}),
  });
  return alsoNamed(ref, 'wherry/guest-debian:13');
}
