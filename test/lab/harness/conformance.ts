/** The conformance program as files of a lab node. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {staticPrograms} from '../../../images/static-programs.ts';
import {tinyGuest} from '../../../images/tiny/image.ts';
import {run} from '../../../scripts/core/command.ts';
import {repository} from '../../../scripts/core/paths.ts';
import type {Progress} from '../../../scripts/core/progress.ts';
import type {Kit} from '../../conformance/stage.ts';
import {CLOSURE} from './node-image.ts';

/** Loaded from files at run time: the one is an addon, the other knows kubeconfig files, which nobody has here. */
const external = ['koffi', '@kubernetes/client-node'];
/** CommonJS dependencies call `require`, which an ES module does not have. */
const banner =
  "import {createRequire as __createRequire} from 'node:module'; const require = __createRequire(import.meta.url);";

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
  await bundle(join(scratch, 'main.mjs'));
  await writeFile(join(scratch, 'kit.json'), JSON.stringify(kit));
  return {
    'app/main.mjs': join(scratch, 'main.mjs'),
    'app/fake-node/pod.sh': join(repository, 'test/support/fake-node/pod.sh'),
    'app/node_modules/koffi': join(repository, 'node_modules/koffi'),
    'app/node_modules/@koromix/koffi-linux-x64': join(repository, 'node_modules/@koromix/koffi-linux-x64'),
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

/** By its program, for its library does not work in the world that Jest makes. */
const bundle = (to: string): Promise<string> =>
  run(join(repository, 'node_modules/.bin/esbuild'), [
    join(repository, 'test/conformance/main.ts'),
    `--outfile=${to}`,
    '--bundle',
    '--platform=node',
    '--format=esm',
    '--target=node24',
    '--keep-names',
    '--log-level=warning',
    ...external.map(name => `--external:${name}`),
    `--banner:js=${banner}`,
  ]);
