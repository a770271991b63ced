/** The conformance program as files of a lab node. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {staticPrograms} from '../../../images/static-programs.ts';
import {tinyGuest} from '../../../images/tiny/image.ts';
import {repository} from '../../../scripts/core/paths.ts';
import type {Progress} from '../../../scripts/core/progress.ts';
import type {Kit} from '../../conformance/stage.ts';
import {bundle, koffiFiles} from './bundle.ts';
import {CLOSURE} from './node-image.ts';

/** On the disk of the node, where a pod can have them by a hard link. */
const GUEST = {kernel: '/var/tmp/vmlinux', initrd: '/var/tmp/initrd'};

const kit: Kit = {
  closure: CLOSURE,
  launcher: '/payload/wherry-launcher',
  vmm: '/payload/wherry-vmm',
  guest: GUEST,
  library: '/payload/libwherry.so',
  selfTest: '/payload/wherry-kvm-selftest',
  netns: '/payload/wherry-netns',
};

/** What `node /payload/app/main.mjs --kit /payload/kit.json` needs, by its path in the node. */
export async function conformanceFiles(progress: Progress, scratch: string): Promise<Record<string, string>> {
  const guest = await tinyGuest(progress);
  const {launcher, vmm} = await staticPrograms(progress);
  await bundle(join(repository, 'test/conformance/main.ts'), join(scratch, 'main.mjs'));
  await writeFile(join(scratch, 'kit.json'), JSON.stringify(kit));
  return {
    'app/main.mjs': join(scratch, 'main.mjs'),
    'app/fake-node/pod.sh': join(repository, 'test/support/fake-node/pod.sh'),
    ...koffiFiles('app'),
    'kit.json': join(scratch, 'kit.json'),
    'wherry-launcher': launcher,
    'wherry-vmm': vmm,
    vmlinux: guest.kernel,
    initrd: guest.initrd,
    ...Object.fromEntries(
      ['libwherry.so', 'wherry-kvm-selftest', 'wherry-netns'].map(name => [
        name,
        join(repository, 'target/release', name),
      ]),
    ),
  };
}

/** Done once after boot. */
export const conformanceSetUp: readonly string[] = ['cp', '/payload/vmlinux', '/payload/initrd', '/var/tmp/'];
