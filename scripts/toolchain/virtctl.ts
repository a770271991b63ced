import {join} from 'node:path';
import {cachedFolder} from '../core/cached.ts';
import {run} from '../core/command.ts';
import {cacheFolder, repository} from '../core/paths.ts';
import type {Progress} from '../core/progress.ts';
import {type GoBuild, goBuild, goEnv, goFingerprint} from './go-build.ts';

/** The module that pins KubeVirt: for its command line tool and its example manifests, which the tests use as they are. */
const module = join(repository, 'scripts/offline/virtctl');

/** What go.mod there requires. virtctl says it of itself. */
export const kubevirtVersion = 'v1.8.0';

const stamps = {
  gitVersion: kubevirtVersion,
  gitTreeState: 'clean',
  gitCommit: '0'.repeat(40),
  buildDate: '2026-01-01T00:00:00Z',
};

const build: GoBuild = {
  module,
  flags: [
    '-trimpath',
    '-buildvcs=false',
    `-ldflags=-s -w ${Object.entries(stamps)
      .map(([name, value]) => `-X kubevirt.io/client-go/version.${name}=${value}`)
      .join(' ')}`,
  ],
  packages: ['kubevirt.io/kubevirt/cmd/virtctl'],
};

/** Path of virtctl, KubeVirt's own tool: built on first use, some 4 minutes on two cores, and kept in the cache. */
export async function virtctl(progress: Progress): Promise<string> {
  const folder = await cachedFolder(join(cacheFolder(), 'tools'), 'virtctl', await goFingerprint(build), partial =>
    progress.step(`build virtctl ${kubevirtVersion} from Go modules`, say => goBuild(build, partial, say)),
  );
  return join(folder, 'virtctl');
}

/** Folder of KubeVirt's sources, in Go's own cache, which are fetched on first use and checked against go.sum. */
export async function kubevirtSources(): Promise<string> {
  const downloaded = await run('go', ['mod', 'download', '-json', 'kubevirt.io/kubevirt'], {cwd: module, env: goEnv});
  return (JSON.parse(downloaded) as {Dir: string}).Dir;
}
