import {imageExists} from '../../scripts/core/docker.ts';
import {succeeds} from '../../scripts/core/command.ts';
import type {Progress} from '../../scripts/core/progress.ts';
import {imageSource, type ImageSource} from '../../scripts/cluster/node-image.ts';

/** A C library with what belongs to it, of the Debian release that our own files come from. */
export const officialBase = 'gcr.io/distroless/cc-debian13:latest';

/** Nothing: the files of Debian packages that go on top are enough to run. */
export const ownBase = 'scratch';

export interface BaseOptions {
  source?: () => Promise<ImageSource>;
  /** Whether an image is here, or could be fetched. */
  fetched?: (image: string) => Promise<boolean>;
}

/** What the images with Node.js stand on, said aloud: the official base where its registry answers, else nothing. */
export async function baseImage(progress: Progress, options: BaseOptions = {}): Promise<string> {
  const {source = imageSource, fetched = fetch} = options;
  if ((await source()) === 'local') return ownBase;
  if (await fetched(officialBase)) return officialBase;
  progress.note(`images: ${officialBase} cannot be fetched, so the images hold files of Debian packages alone`);
  return ownBase;
}

async function fetch(image: string): Promise<boolean> {
  if (await imageExists(image)) return true;
  return succeeds('docker', ['pull', '--quiet', image], {signal: AbortSignal.timeout(120_000)});
}
