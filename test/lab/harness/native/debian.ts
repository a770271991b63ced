/** Debian's own kernel and initial file system, from the disk that they were installed to. */
import {join} from 'node:path';
import {debianDisk} from '../../../../images/debian-guest/image.ts';
import {partitionStartSectors, sectorBytes} from '../../../../images/debian-guest/boot-sectors.ts';
import {qemuClosure} from '../../../../images/qemu-closure.ts';
import {run} from '../../../../scripts/core/command.ts';
import type {Progress} from '../../../../scripts/core/progress.ts';
import {requirePrograms} from '../../../../scripts/core/requirements.ts';

export interface DebianGuest {
  /** As it was installed: a bzImage. */
  readonly kernel: string;
  /** As initramfs-tools made it when the kernel was installed. */
  readonly initrd: string;
  /** The raw disk; the root is on its first partition. */
  readonly disk: string;
}

export async function debianGuest(progress: Progress, folder: string): Promise<DebianGuest> {
  requirePrograms('taking a kernel from a disk', {debugfs: 'e2fsprogs'}, `${process.env['PATH']}:/usr/sbin:/sbin`);
  const {bin} = await qemuClosure(progress);
  const disk = join(folder, 'debian.raw');
  await run(join(bin, 'qemu-img'), ['convert', '-O', 'raw', await debianDisk(progress), disk]);
  const fileSystem = `${disk}?offset=${partitionStartSectors * sectorBytes}`;
  const debugfs = (request: string): Promise<string> => run('debugfs', ['-R', request, fileSystem]);
  const names = (await debugfs('ls -p /boot')).split('\n').map(line => line.split('/')[5] ?? '');
  const take = async (start: string): Promise<string> => {
    const name = names.find(one => one.startsWith(start));
    if (name === undefined) throw new Error(`there is no ${start} in /boot of the Debian guest`);
    const to = join(folder, start.replace(/-$/, ''));
    await debugfs(`dump /boot/${name} ${to}`);
    return to;
  };
  return {kernel: await take('vmlinuz-'), initrd: await take('initrd.img-'), disk};
}
