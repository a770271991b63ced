import {cp, link, mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {run, succeeds} from './command.ts';
import {repository} from './paths.ts';
import type {Progress} from './progress.ts';

/**
 * Sees to it that a Docker daemon answers; as root, where none does, starts one.
 * @throws CommandError that says what is missing.
 */
export async function ensureDocker(progress: Progress): Promise<void> {
  await run(join(repository, 'scripts/offline/docker.sh'), [], {onLine: line => progress.note(line)});
}

export async function imageExists(image: string): Promise<boolean> {
  return succeeds('docker', ['image', 'inspect', image]);
}

/** A file of a build context: a copy of a file, a symbolic link's target, or a text. */
export type ContextFile = {from: string} | {linkTo: string} | {text: string};

export interface ImageBuild {
  tag: string;
  /** Path of the Dockerfile, written for the classic builder, which every Docker has. */
  dockerfile: string;
  target?: string;
  args?: Record<string, string>;
  /** The whole build context, by path. */
  files: Record<string, ContextFile>;
}

/** Builds an image from a context that holds just the files named. */
export async function buildImage({tag, dockerfile, target, args = {}, files}: ImageBuild): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), 'wherry-context-'));
  try {
    await layContext(context, {...files, Dockerfile: {from: dockerfile}});
    const options = Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
    if (target) options.push('--target', target);
    await run('docker', ['build', '--quiet', '--tag', tag, ...options, context], {env: {DOCKER_BUILDKIT: '0'}});
  } finally {
    await rm(context, {recursive: true, force: true});
  }
}

async function layContext(context: string, files: Record<string, ContextFile>): Promise<void> {
  for (const [path, file] of Object.entries(files)) {
    const place = join(context, path);
    await mkdir(dirname(place), {recursive: true});
    if ('text' in file) await writeFile(place, file.text);
    else if ('linkTo' in file) await symlink(file.linkTo, place);
    // A hard link costs nothing; across file systems it has to be a copy.
    else await link(file.from, place).catch(() => cp(file.from, place, {recursive: true}));
  }
}
