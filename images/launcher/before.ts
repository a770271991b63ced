/** The launcher of the protocol version before this one, as it really was: built from this repository's history. */
import {copyFile, mkdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {LAUNCHER_PROTOCOL} from '../../api/src/wire/launcher.ts';
import {cachedFolder} from '../../scripts/core/cached.ts';
import {run} from '../../scripts/core/command.ts';
import {repository} from '../../scripts/core/paths.ts';
import type {Progress} from '../../scripts/core/progress.ts';
import {imageCache} from '../image-cache.ts';
import {staticLauncher} from '../static-programs.ts';
import {launcherImageWith} from './image.ts';

const wire = 'api/src/wire/launcher.ts';

/** The last commit before the protocol got its present version; undefined where this clone does not reach back so far. */
export async function commitBefore(checkout: string = repository): Promise<string | undefined> {
  const git = (...args: string[]): Promise<string> => run('git', ['-C', checkout, ...args]);
  try {
    const search = ['log', '--reverse', '--format=%H', `-SLAUNCHER_PROTOCOL = ${LAUNCHER_PROTOCOL};`, '--', wire];
    const [since = ''] = (await git(...search)).split('\n');
    return since === '' ? undefined : (await git('rev-parse', '--verify', `${since}^`)).trim();
  } catch {
    // No history at all, or one that begins with that commit.
    return undefined;
  }
}

/** The image of a VM pod with that launcher and today's QEMU; undefined where the history is missing. */
export async function launcherImageBefore(progress: Progress): Promise<string | undefined> {
  const commit = await commitBefore();
  if (commit === undefined) return undefined;
  const folder = await cachedFolder(imageCache(), 'launcher-before', commit, async partial => {
    const source = join(partial, 'source');
    await mkdir(source);
    const archive = 'git -C "$0" archive "$1" Cargo.toml Cargo.lock native | tar -x -C "$2"';
    await run('sh', ['-c', archive, repository, commit, source]);
    await copyFile(await staticLauncher(progress, source), join(partial, 'wherry-launcher'));
    await rm(source, {recursive: true});
  });
  return launcherImageWith(progress, {repository: 'wherry/launcher-before', launcher: join(folder, 'wherry-launcher')});
}
