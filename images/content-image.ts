import {join} from 'node:path';
import {run, succeeds} from '../scripts/core/command.ts';
import {buildImage, type ContextFile, imageExists} from '../scripts/core/docker.ts';
import {type Ingredients, fingerprint} from '../scripts/core/fingerprint.ts';
import {withLock} from '../scripts/core/lock.ts';
import type {Progress} from '../scripts/core/progress.ts';
import {imageCache} from './image-cache.ts';

/** An image whose tag follows from what it is made of. */
export interface ContentImage {
  /** As `wherry/launcher`. */
  readonly repository: string;
  readonly dockerfile: string;
  /** Arguments of the Dockerfile. They decide the content too. */
  readonly args?: Readonly<Record<string, string>>;
  /** What decides the content, the Dockerfile and its arguments apart. */
  readonly ingredients: Ingredients;
  /** Makes the build context: called only where the image is not there yet. */
  readonly context: () => Promise<Record<string, ContextFile>>;
}

/** The image's reference. Builds it where its content is new; else it takes a moment. */
export async function contentImage(progress: Progress, image: ContentImage): Promise<string> {
  const {dockerfile, args = {}} = image;
  const {files = [], values = []} = image.ingredients;
  const key = await fingerprint({files: [dockerfile, ...files], values: [...values, ...Object.entries(args).flat()]});
  const ref = `${image.repository}:${key}`;
  await withLock(join(imageCache(), `${image.repository.replace('/', '-')}.lock`), async () => {
    if (await imageExists(ref)) return;
    const context = await image.context();
    await progress.step(`build the image ${ref}`, () => buildImage({tag: ref, dockerfile, args, files: context}));
    await forgetOld(image.repository);
    progress.note(`${ref}: ${megabytes(await run('docker', ['image', 'inspect', '--format', '{{.Size}}', ref]))}`);
  });
  return ref;
}

/** Gives an image a second name, one that lasts while its content changes, for manifests. @returns that name. */
export async function alsoNamed(ref: string, name: string): Promise<string> {
  await run('docker', ['tag', ref, name]);
  return name;
}

async function forgetOld(repository: string): Promise<void> {
  // Newest first.
  const listed = await run('docker', ['image', 'ls', repository, '--format', '{{.Repository}}:{{.Tag}}']);
  for (const ref of superseded(listed.split('\n'))) await succeeds('docker', ['image', 'rm', ref]);
}

/**
 * Of an image's references, newest first, those that a tag by content names and that nobody goes back to. Three are
 * kept: a change and its undoing should build nothing.
 */
export const superseded = (refs: readonly string[]): string[] =>
  refs.filter(ref => /:[0-9a-f]{12}$/.test(ref)).slice(3);

const megabytes = (bytes: string): string => `${(Number(bytes) / 1e6).toFixed(1)} MB`;
