import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {run} from '../core/command.ts';
import {SetupError} from '../core/errors.ts';
import {goModule} from './go-build.ts';

/** The volume provisioner of a kind cluster. */
const module = {
  path: 'github.com/rancher/local-path-provisioner',
  version: 'v0.0.30',
  sum: 'h1:OkiuofkCSscddl7tma/B9Ox1wu+JEVSrP7IcZI65Ggo=',
};

/** The package that the overlay adds to the Go module. */
export const provisionerPackage = './local-path-provisioner';

/**
 * The provisioner names a library by an old spelling of its path, which Go refuses beside the right one, so it cannot
 * be a requirement of our module. Its sources, put right, are laid over the module as one more package, for the build.
 * @returns the path of the overlay file, for `go build -overlay`.
 */
export async function provisionerOverlay(folder: string): Promise<string> {
  const {path, version, sum} = module;
  const download = JSON.parse(await run('go', ['mod', 'download', '-json', `${path}@${version}`], {cwd: goModule})) as {
    Dir: string;
    Sum: string;
  };
  if (download.Sum !== sum) {
    throw new SetupError(`${path} ${version} has the checksum ${download.Sum}, not ${sum}: it is not what we pinned`);
  }
  const sources = join(folder, 'sources');
  await mkdir(sources, {recursive: true});
  const replace: Record<string, string> = {};
  for (const name of (await readdir(download.Dir)).filter(isSource)) {
    const source = await readFile(join(download.Dir, name), 'utf8');
    await writeFile(join(sources, name), source.replaceAll('/Sirupsen/', '/sirupsen/'));
    replace[join(goModule, provisionerPackage, name)] = join(sources, name);
  }
  const overlay = join(folder, 'overlay.json');
  await writeFile(overlay, JSON.stringify({Replace: replace}));
  return overlay;
}

const isSource = (name: string): boolean => name.endsWith('.go') && !name.endsWith('_test.go');
