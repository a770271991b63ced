import {truncate, writeFile} from 'node:fs/promises';
import {run} from '../../../scripts/core/command.ts';

/** A raw disk with one ext4 file system that holds a folder; sparse, so that its size costs nothing. */
export async function makeExt4(folder: string, disk: string, mib: number): Promise<void> {
  await writeFile(disk, '');
  await truncate(disk, mib * 1024 ** 2);
  // Without a journal: nobody needs it after a crash, and it would be written under emulation.
  const options = ['-q', '-t', 'ext4', '-O', '^has_journal', '-E', 'root_owner=0:0,lazy_itable_init=1', '-m', '0'];
  await run('mke2fs', [...options, '-d', folder, disk]);
}
