import {mkdir, mkdtemp, rm} from 'node:fs/promises';
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

/** @throws SetupError that names what is missing to work with packages: the mirror and keys are those of the host's apt. */
export function requireDebianTools(): void {
  requirePrograms('making images from Debian packages', {
    mmdebstrap: 'mmdebstrap debian-archive-keyring',
    strip: 'binutils',
    objcopy: 'binutils',
  });
}

/**
 * Unpacks Debian packages into a folder that lives as long as `use` runs. Without root, mmdebstrap needs `newuidmap`
 * (Debian's package uidmap) and an entry in /etc/subuid.
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
    const archive = join(scratch, 'tree.tar');
    const options = ['--variant=extract', `--include=${packages.join(',')}`, ...withoutPapers];
    await run('mmdebstrap', [...options, '--aptopt=APT::Install-Recommends "false"', suite, archive], {onLine: say});
    // By way of an archive, so that the files are ours where mmdebstrap works in a user namespace.
    await mkdir(tree);
    await run('tar', ['-xf', archive, '-C', tree, '--no-same-owner', '--exclude=./dev/*']);
    await rm(archive);
    return await use(tree);
  } finally {
    await rm(scratch, {recursive: true, force: true});
  }
}
