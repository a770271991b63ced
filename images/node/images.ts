import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ContextFile} from '../../scripts/core/docker.ts';
import {repository} from '../../scripts/core/paths.ts';
import type {Progress} from '../../scripts/core/progress.ts';
import {contentImage} from '../content-image.ts';
import {baseImage} from './base.ts';
import {bundle, external, type Program} from './bundle.ts';
import {buildNative} from './native.ts';
import {nodeRoot, type RootRequest, rootKey} from './root.ts';

interface NodeImage {
  readonly program: Program;
  readonly root: RootRequest;
  /** Numeric, as Kubernetes checks it. */
  readonly user: number;
  /** Files beside the bundle: path in the image, and path in the repository that it comes from. */
  readonly files: Readonly<Record<string, string>>;
  /** What must be built first. */
  readonly prepare?: (progress: Progress) => Promise<void>;
}

const operator: NodeImage = {
  program: 'operator',
  root: {name: 'operator', packages: [], programs: []},
  user: 65532,
  files: {},
};

/** What is loaded of koffi at run time: its package has its sources too, a build script, and a library for musl. */
const koffi = Object.fromEntries(
  [
    ...['package.json', 'LICENSE.txt', 'index.js', 'src/koffi/index.js', 'src/koffi/src/static.js'].map(
      file => `node_modules/koffi/${file}`,
    ),
    ...['package.json', 'index.js', 'linux_x64'].map(file => `node_modules/@koromix/koffi-linux-x64/${file}`),
  ].map(file => [`app/${file}`, file]),
);

/** Runs as root: it opens devices and enters the network namespaces of pods. `setpriv` starts it with the capabilities for that alone. */
const nodeDaemon: NodeImage = {
  program: 'node-daemon',
  root: {name: 'node-daemon', packages: ['nftables', 'util-linux'], programs: ['usr/sbin/nft', 'usr/bin/setpriv']},
  user: 0,
  files: {
    'usr/lib/wherry/libwherry.so': 'target/release/libwherry.so',
    'usr/bin/wherry-kvm-selftest': 'target/release/wherry-kvm-selftest',
    'usr/bin/wherry-netns': 'target/release/wherry-netns',
    ...koffi,
  },
  prepare: buildNative,
};

/** The reference of the operator's image, built where its content is new. */
export const operatorImage = (progress: Progress): Promise<string> => make(progress, operator);

/** The reference of the node-daemon's image, built where its content is new. */
export const nodeDaemonImage = (progress: Progress): Promise<string> => make(progress, nodeDaemon);

/** The bundle's content is the key: a change of a comment builds no image. */
async function make(progress: Progress, image: NodeImage): Promise<string> {
  await image.prepare?.(progress);
  const base = await baseImage(progress);
  const scratch = await mkdtemp(join(tmpdir(), 'wherry-bundle-'));
  // Not the scratch folder itself, which only its maker may read.
  const folder = join(scratch, 'app');
  try {
    await bundle(image.program, folder);
    return await contentImage(progress, {
      repository: `wherry/${image.program}`,
      dockerfile: join(import.meta.dirname, 'node.dockerfile'),
      args: {BASE: base, USER: String(image.user)},
      ingredients: {
        files: [folder, ...Object.values(image.files).map(path => join(repository, path))],
        values: [await rootKey(image.root), ...external, ...Object.keys(image.files)],
      },
      context: async () => context(image, folder, await nodeRoot(progress, image.root)),
    });
  } finally {
    await rm(scratch, {recursive: true, force: true});
  }
}

const context = (image: NodeImage, bundled: string, root: string): Record<string, ContextFile> => ({
  'root.tar': {from: root},
  'files/app': {from: bundled},
  ...Object.fromEntries(
    Object.entries(image.files).map(([to, from]) => [`files/${to}`, {from: join(repository, from)}]),
  ),
});
