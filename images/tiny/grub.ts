import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {run} from '../../scripts/core/command.ts';
import {libraries} from '../debian/closure.ts';
import {withDebianTree} from '../debian/tree.ts';
import type {BootLoader} from '../debian-guest/boot-sectors.ts';

/** GRUB for both kinds of firmware, each with the same configuration built in. */
export interface BootLoaders {
  readonly bios: BootLoader;
  /** Path of the program that UEFI runs from a removable medium. */
  readonly efi: string;
}

const packages = ['grub-pc-bin', 'grub-efi-amd64-bin', 'grub-common'];
const modules = ['part_msdos', 'fat', 'search', 'search_label', 'linux', 'normal'];

/**
 * GRUB out of Debian's packages. It reads no configuration but the given one.
 * @param scratch a folder for what is made.
 */
export async function bootLoaders(
  configuration: string,
  scratch: string,
  say: (doing: string) => void,
): Promise<BootLoaders> {
  return withDebianTree({suite: 'trixie', packages}, say, async tree => {
    const settings = join(scratch, 'grub.cfg');
    await writeFile(settings, configuration);
    const make = async (format: string, name: string, extra: readonly string[]): Promise<string> => {
      const output = join(scratch, name);
      await run(join(tree, 'usr/lib64/ld-linux-x86-64.so.2'), [
        '--library-path',
        join(tree, libraries),
        join(tree, 'usr/bin/grub-mkimage'),
        `--directory=${join(tree, 'usr/lib/grub', format)}`,
        `--format=${format}`,
        '--prefix=/boot/grub',
        `--config=${settings}`,
        `--output=${output}`,
        ...modules,
        ...extra,
      ]);
      return output;
    };
    const core = await make('i386-pc', 'core.img', ['biosdisk']);
    const bootImage = await readFile(join(tree, 'usr/lib/grub/i386-pc/boot.img'));
    return {
      bios: {bootImage, coreImage: await readFile(core)},
      efi: await make('x86_64-efi', 'bootx64.efi', ['efi_gop']),
    };
  });
}
