/** `node images/build.ts [name…]`: builds Wherry's images and its guests, all of them or those named. */

import {ensureDocker} from '../scripts/core/docker.ts';
import {SetupError} from '../scripts/core/errors.ts';
import {main} from '../scripts/core/main.ts';
import type {Progress} from '../scripts/core/progress.ts';
import {debianImage} from './debian-guest/image.ts';
import {launcherImage} from './launcher/image.ts';
import {nodeDaemonImage, operatorImage} from './node/images.ts';
import {tinyDiskImage, tinyImage} from './tiny/image.ts';

const builders = {
  operator: operatorImage,
  'node-daemon': nodeDaemonImage,
  launcher: launcherImage,
  'guest-tiny': tinyImage,
  'guest-tiny-disk': tinyDiskImage,
  'guest-debian': debianImage,
} satisfies Record<string, (progress: Progress) => Promise<string>>;

export type ImageName = keyof typeof builders;

const names = Object.keys(builders) as ImageName[];

/**
 * The reference of each image in the Docker daemon, built where its content is new.
 * @throws CommandError from the program that failed; the images before it are kept.
 */
export async function buildImages(progress: Progress): Promise<Record<ImageName, string>>;
export async function buildImages(
  progress: Progress,
  only: readonly ImageName[],
): Promise<Partial<Record<ImageName, string>>>;
export async function buildImages(
  progress: Progress,
  only: readonly ImageName[] = names,
): Promise<Partial<Record<ImageName, string>>> {
  await ensureDocker(progress);
  const refs: Partial<Record<ImageName, string>> = {};
  // One after another: each takes all the CPU there is.
  for (const name of only) refs[name] = await builders[name](progress);
  return refs;
}

/** @throws SetupError for a name that no image has. */
export function imageNames(args: readonly string[]): readonly ImageName[] {
  const unknown = args.find(arg => !Object.hasOwn(builders, arg));
  if (unknown !== undefined) throw new SetupError(`no image is called ${unknown}; there are ${names.join(', ')}`);
  return args.length === 0 ? names : (args as ImageName[]);
}

if (import.meta.main) {
  await main(async progress => {
    const refs = await buildImages(progress, imageNames(process.argv.slice(2)));
    for (const [name, ref] of Object.entries(refs)) console.log(`${name}\t${ref}`);
  });
}
