import {chmod, cp, lutimes, mkdir, mkdtemp, readdir, rm, symlink} from 'node:fs/promises';
import {existsSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {run} from '../../scripts/core/command.ts';
import {requirePrograms} from '../../scripts/core/requirements.ts';

/** The guest's own files: its init table, scripts and web pages. */
export const guestFiles: string = join(import.meta.dirname, 'root');

/**
 * Packs the guest's root file system for the kernel, which unpacks it into memory. Not compressed: unpacking costs more
 * under emulation than reading.
 * @param parts the root that `tinyParts` made. It is not changed.
 */
export async function packInitrd(parts: string, archive: string): Promise<void> {
  requirePrograms('making the tiny guest', {cpio: 'cpio', find: 'findutils'});
  const scratch = await mkdtemp(join(tmpdir(), 'wherry-tiny-'));
  try {
    const root = join(scratch, 'root');
    await cp(parts, root, {recursive: true, verbatimSymlinks: true});
    await cp(guestFiles, root, {recursive: true});
    for (const folder of ['dev', 'proc', 'sys', 'run', 'tmp', 'mnt', 'root']) await mkdir(join(root, folder));
    await chmod(join(root, 'root'), 0o700);
    await linkApplets(root);
    await settleTimes(root);
    // The list is sorted and owners and times are fixed, so that the same content packs to the same bytes.
    await run('sh', ['-c', 'find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0 >"$0"', archive], {
      cwd: root,
    });
  } finally {
    await rm(scratch, {recursive: true, force: true});
  }
}

/** Every command that busybox knows and the guest has no program or script of its own for. */
async function linkApplets(root: string): Promise<void> {
  const busybox = join(root, 'usr/bin/busybox');
  for (const applet of (await run(busybox, ['--list'])).split('\n')) {
    if (!existsSync(join(root, 'usr/bin', applet))) await symlink('busybox', join(root, 'usr/bin', applet));
  }
  await symlink('bin/init', join(root, 'init'));
}

/** Links have times as well, and so has the root itself. */
async function settleTimes(root: string): Promise<void> {
  for (const entry of await readdir(root, {recursive: true, withFileTypes: true}))
    await lutimes(join(entry.parentPath, entry.name), 0, 0);
  await lutimes(root, 0, 0);
}
