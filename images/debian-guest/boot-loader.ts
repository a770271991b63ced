import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {run} from '../../scripts/core/command.ts';
import {libraries} from '../debian/closure.ts';
import {withDebianTree} from '../debian/tree.ts';
import type {BootLoader} from './boot-sectors.ts';

/** The kernel's command line on disk: the console is the first serial port, where a pod's log reads it. */
export const kernelArguments = 'root=LABEL=root rw console=tty0 console=ttyS0,115200 net.ifnames=0';

/** Debian keeps these two links on the newest kernel that is installed. */
const config = `set root=(hd0,msdos1)
linux /vmlinuz ${kernelArguments}
initrd /initrd.img
boot
`;

const modules = ['biosdisk', 'part_msdos', 'ext2', 'linux', 'normal'];
const packages = ['grub-pc-bin', 'grub-common'];

/** GRUB for a PC BIOS, out of Debian's packages, with its configuration built in: it reads nothing but the kernel. */
export async function bootLoader(say: (doing: string) => void): Promise<BootLoader> {
  const scratch = await mkdtemp(join(tmpdir(), 'wherry-grub-'));
  try {
    return await withDebianTree({suite: 'trixie', packages}, say, async tree => {
      const folder = join(tree, 'usr/lib/grub/i386-pc');
      const settings = join(scratch, 'grub.cfg');
      const core = join(scratch, 'core.img');
      await writeFile(settings, config);
      await run(join(tree, 'usr/lib64/ld-linux-x86-64.so.2'), [
        '--library-path',
        join(tree, libraries),
        join(tree, 'usr/bin/grub-mkimage'),
        `--directory=${folder}`,
        '--format=i386-pc',
        '--prefix=(hd0,msdos1)/boot/grub',
        `--config=${settings}`,
        `--output=${core}`,
        ...modules,
      ]);
      return {bootImage: await readFile(join(folder, 'boot.img')), coreImage: await readFile(core)};
    });
  } finally {
    await rm(scratch, {recursive: true, force: true});
  }
}
