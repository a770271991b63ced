import {join} from 'node:path';
import type {Progress} from '../../scripts/core/progress.ts';
import {contentImage} from '../content-image.ts';
import {qemuClosure, qemuKey} from '../qemu-closure.ts';
import {staticPrograms} from '../static-programs.ts';

/** QEMU looks up the account that it runs as. */
const accounts = {
  passwd: 'root:x:0:0:root:/:/nonexistent\nqemu:x:107:107:guest:/:/nonexistent\n',
  group: 'root:x:0:\nqemu:x:107:\n',
};

/** The image of every VM pod. */
export async function launcherImage(progress: Progress): Promise<string> {
  return launcherImageWith(progress, {repository: 'wherry/launcher', ...(await staticPrograms(progress))});
}

interface Programs {
  readonly launcher: string;
  /** The native engine; left out where the launcher does not know it. */
  readonly vmm?: string;
}

/** The image with the programs at these paths, under the name of this image repository. */
export async function launcherImageWith(
  progress: Progress,
  {repository, launcher, vmm}: Programs & {readonly repository: string},
): Promise<string> {
  return contentImage(progress, {
    repository,
    dockerfile: join(import.meta.dirname, 'launcher.dockerfile'),
    ingredients: {
      files: [launcher, ...(vmm === undefined ? [] : [vmm])],
      values: [await qemuKey(), ...Object.values(accounts)],
    },
    context: async () => {
      const {root} = await qemuClosure(progress);
      return {
        'root/usr': {from: join(root, 'usr')},
        'root/usr/bin/wherry-launcher': {from: launcher},
        ...(vmm === undefined ? {} : {'root/usr/bin/wherry-vmm': {from: vmm}}),
        ...Object.fromEntries(['bin', 'lib', 'lib64', 'sbin'].map(name => [`root/${name}`, {linkTo: `usr/${name}`}])),
        'root/etc/passwd': {text: accounts.passwd},
        'root/etc/group': {text: accounts.group},
      };
    },
  });
}
