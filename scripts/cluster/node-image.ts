import {run, succeeds} from '../core/command.ts';
import {imageExists} from '../core/docker.ts';
import type {Progress} from '../core/progress.ts';
import {requirePrograms} from '../core/requirements.ts';
import {kubernetesVersion} from '../toolchain/go-build.ts';
import {offlineNodeImage} from './offline/node-image.ts';

/** kind's own node image of the pinned Kubernetes version. */
export const officialNodeImage: string = `kindest/node:${kubernetesVersion}@sha256:099e049362a1526b2db71494e1947aae99bd16290d7c895f2b7ea312e3cbfaed`;

/** Whether images come from their registries, or are made here from Go modules and Debian packages. */
export type ImageSource = 'registry' | 'local';

export interface SourceOptions {
  env?: NodeJS.ProcessEnv;
  /** Whether an image can be had by its name. */
  obtainable?: (image: string) => Promise<boolean>;
}

/**
 * Where images come from on this machine. The variable WHERRY_IMAGES=registry|local decides; without it, a question
 * about the node image that has three seconds for its answer.
 */
export async function imageSource(options: SourceOptions = {}): Promise<ImageSource> {
  const {env = process.env, obtainable: asks = obtainable} = options;
  const wish = env['WHERRY_IMAGES'];
  if (wish === 'registry' || wish === 'local') return wish;
  return (await asks(officialNodeImage)) ? 'registry' : 'local';
}

async function obtainable(image: string): Promise<boolean> {
  if (await imageExists(image)) return true;
  return succeeds('docker', ['manifest', 'inspect', image], {signal: AbortSignal.timeout(3000)});
}

/** The image of the cluster's nodes, said aloud: kind pulls the official one itself, the other is made here. */
export async function nodeImage(progress: Progress): Promise<string> {
  if ((await imageSource()) === 'registry') {
    progress.note(`images: a registry answers, so nodes run ${officialNodeImage.split('@')[0]}`);
    return officialNodeImage;
  }
  progress.note('images: no registry answers, so the node image is made from Go modules and Debian packages');
  requirePrograms('the node image', {mmdebstrap: 'mmdebstrap', busybox: 'busybox-static', gcc: 'gcc libc6-dev'});
  const image = await offlineNodeImage(progress);
  await forgetOldImages(image);
  return image;
}

/** Removes all but the latest three node images that were made here. One that a cluster still runs on stays. */
async function forgetOldImages(current: string): Promise<void> {
  const [repository] = current.split(':');
  // Newest first.
  const all = await run('docker', ['image', 'ls', repository!, '--format', '{{.Repository}}:{{.Tag}}']);
  const old = all.split('\n').filter(image => image !== '' && image !== current);
  for (const image of old.slice(2)) await succeeds('docker', ['image', 'rm', image]);
}
