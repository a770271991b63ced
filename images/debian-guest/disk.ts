import {mkdtemp, open, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {run} from '../../scripts/core/command.ts';
import {requirePrograms} from '../../scripts/core/requirements.ts';
import {bootLoader} from './boot-loader.ts';
import {bootSectors, partitionStartSectors, sectorBytes} from './boot-sectors.ts';

/** Most of it is free: a guest that installs something finds room, and the image does not hold what is not written. */
const diskBytes = 3 * 1024 ** 3;
const partitionStart = partitionStartSectors * sectorBytes;

/** GRUB reads none of these. */
const unreadable = '^metadata_csum_seed,^orphan_file';

/**
 * Installs Debian from packages to a disk that a PC BIOS boots, as a qcow2 file. Some minutes. Without root, `fakeroot`
 * keeps the owners of its files.
 * @param qemuImg the program to convert the disk with.
 */
export async function makeDisk(file: string, qemuImg: string, say: (doing: string) => void): Promise<void> {
  const asRoot = process.getuid?.() === 0 ? [] : ['fakeroot', '--'];
  const programs = {mke2fs: 'e2fsprogs', ...(asRoot.length > 0 && {fakeroot: 'fakeroot'})};
  requirePrograms('making the Debian guest', programs, `${process.env['PATH']}:/usr/sbin:/sbin`);
  const scratch = await mkdtemp(join(tmpdir(), 'wherry-debian-'));
  try {
    const archive = join(scratch, 'root.tar');
    await run(join(import.meta.dirname, 'rootfs.sh'), [archive], {onLine: say});
    const raw = join(scratch, 'disk.raw');
    await writeBootSectors(raw, say);
    say('the file system');
    const [shell, ...rest] = [...asRoot, 'sh', '-euc', makeFileSystem, 'sh'];
    const fileSystemKib = (diskBytes - partitionStart) / 1024;
    await run(shell, [...rest, archive, join(scratch, 'root'), raw, String(partitionStart), `${fileSystemKib}k`]);
    say('the qcow2 file');
    await run(qemuImg, ['convert', '-O', 'qcow2', '-c', '-o', 'compression_type=zstd', raw, file]);
  } finally {
    await rm(scratch, {recursive: true, force: true});
  }
}

/** Unpacked and packed again in one go, because fakeroot forgets when it ends. */
const makeFileSystem = `
mkdir "$2"
tar -xpf "$1" -C "$2" --numeric-owner
PATH="$PATH:/usr/sbin:/sbin"
mke2fs -q -t ext4 -L root -m 1 -O ${unreadable} -E "offset=$4" -d "$2" "$3" "$5"
`;

async function writeBootSectors(raw: string, say: (doing: string) => void): Promise<void> {
  const sectors = bootSectors(await bootLoader(say), diskBytes / sectorBytes);
  const disk = await open(raw, 'w');
  try {
    await disk.write(sectors);
    await disk.truncate(diskBytes);
  } finally {
    await disk.close();
  }
}
