import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {run} from '../../scripts/core/command.ts';
import {requirePrograms} from '../../scripts/core/requirements.ts';

/** Files of Debian packages, unpacked but not installed: nothing of them has run. */
export interface TreeRequest {
  readonly suite: 'bookworm' | 'trixie';
  /** What they depend on comes along; what they only recommend does not. */
  readonly packages: readonly string[];
}

/** Leaves out what no image needs. */
export const withoutPapers: readonly string[] = ['doc', 'man', 'locale', 'info', 'lintian'].map(
  folder => `--dpkgopt=path-exclude=/usr/share/${folder}/*`,
);

/** For mmdebstrap on a Debian whose clock or keyring is not ours: the mirror and the keys are those of the host's apt. */
export function requireDebianTools(): void {
  requirePrograms('making images from Debian packages', {mmdebstrap: 'mmdebstrap', apt: 'apt'});
}

/**
 * Unpacks Debian packages into a folder that lives as long as `use` runs. Works with and without root.
 * @throws CommandError when a package cannot be had.
 */
export async function withDebianTree<T>(
  {suite, packages}: TreeRequest,
  say: (doing: string) => void,
  use: (tree: string) => Promise<T>,
): Promise<T> {
  requireDebianTools();
  const scratch = await mkdtemp(join(tmpdir(), 'wherry-tree-'));
  const tree = join(scratch, 'tree');
  try {
    const options = ['--variant=extract', '--format=directory', `--include=${packages.join(',')}`, ...withoutPapers];
    await run('mmdebstrap', [...options, '--aptopt=APT::Install-Recommends "false"', suite, tree], {onLine: say});
    return await use(tree);
  } finally {
    await rm(scratch, {recursive: true, force: true});
  }
}
