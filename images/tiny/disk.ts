import {mkdtemp, open, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {gzip} from 'node:zlib';
import {run} from '../../scripts/core/command.ts';
import {requirePrograms} from '../../scripts/core/requirements.ts';
import {bootSectors, partitionStartSectors, sectorBytes} from '../debian-guest/boot-sectors.ts';
import {bootLoaders} from './grub.ts';

/** Small enough for FAT16, and most of it free. */
const diskBytes = 64 * 1024 ** 2;
const label = 'TINY';

/** The partition is found by its name: whichever bus and place the disk has, and whatever other disks there are. */
const configuration = `search --no-floppy --label ${label} --set=root
linux /vmlinuz console=ttyS0 quiet mitigations=off nokaslr tsc=reliable no_timer_check cryptomgr.notests random.trust_cpu=on rcupdate.rcu_expedited=1
initrd /initrd
boot
`;

/**
 * The tiny guest as a disk that boots by BIOS and by UEFI, as a qcow2 file. The boot loader reads kernel and initial
 * file system through the firmware, and the guest needs no driver for the disk that it came from.
 * @param kernel a kernel that unpacks itself.
 * @param qemuImg the program to convert the disk with.
 */
export async function makeTinyDisk(
  file: string,
  {kernel, initrd}: {kernel: string; initrd: string},
  qemuImg: string,
  say: (doing: string) => void,
): Promise<void> {
  requirePrograms('making the tiny guest', {mformat: 'mtools', mcopy: 'mtools', mmd: 'mtools'});
  const scratch = await mkdtemp(join(tmpdir(), 'wherry-tiny-disk-'));
  try {
    const raw = join(scratch, 'disk.raw');
    const loaders = await bootLoaders(configuration, scratch, say);
    const disk = await open(raw, 'w');
    await disk.write(bootSectors(loaders.bios, diskBytes / sectorBytes));
    await disk.truncate(diskBytes);
    await disk.close();

    const files = {
      '::/EFI/BOOT/BOOTX64.EFI': loaders.efi,
      '::/vmlinuz': kernel,
      '::/initrd': await packed(initrd, join(scratch, 'initrd')),
    };
    const image = `${raw}@@${partitionStartSectors * sectorBytes}`;
    const sectors = diskBytes / sectorBytes - partitionStartSectors;
    await run('mformat', ['-i', image, '-v', label, '-N', '1', '-T', String(sectors), '::']);
    await run('mmd', ['-i', image, '::/EFI', '::/EFI/BOOT']);
    for (const [to, from] of Object.entries(files)) await run('mcopy', ['-i', image, from, to]);
    await run(qemuImg, ['convert', '-O', 'qcow2', raw, file]);
  } finally {
    await rm(scratch, {recursive: true, force: true});
  }
}

/** Reading through the firmware costs more than unpacking. */
async function packed(from: string, to: string): Promise<string> {
  await writeFile(to, await promisify(gzip)(await readFile(from), {level: 9}));
  return to;
}
