import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {cachedFolder} from '../../core/cached.ts';
import {run} from '../../core/command.ts';
import {buildImage, type ContextFile, imageExists} from '../../core/docker.ts';
import {fingerprint} from '../../core/fingerprint.ts';
import {withLock} from '../../core/lock.ts';
import {cacheFolder} from '../../core/paths.ts';
import type {Progress} from '../../core/progress.ts';
import {kubernetesVersion} from '../../toolchain/go-build.ts';
import {nodePrograms} from '../../toolchain/node-programs.ts';
import {tools} from '../../toolchain/tools.ts';
import {images, saveComponentImages} from './component-images.ts';
import {kindModule} from './kind-module.ts';
import {recipes} from './recipes.ts';

/**
 * A kind node image made from Go modules and Debian packages, for machines that reach no image registry. Some minutes
 * once the programs are built; kept in the Docker daemon under a tag that follows from what went into it.
 */
export async function offlineNodeImage(progress: Progress): Promise<string> {
  const {folder: toolFolder} = await tools(progress);
  const programs = await nodePrograms(progress);
  const made = await fingerprint({
    files: [recipes, ...makers.map(name => join(import.meta.dirname, name))],
    values: [basename(toolFolder), basename(programs)],
  });
  const image = `wherry/kind-node:${kubernetesVersion}-${made}`;
  await withLock(join(cacheFolder(), 'node-image.lock'), async () => {
    if (await imageExists(image)) return;
    await progress.step(`make the node image ${image}`, say =>
      make(image, {tools: toolFolder, programs}, say, progress),
    );
  });
  return image;
}

/** The sources that decide what is in the image. */
const makers = ['component-images.ts', 'kind-module.ts', 'node-image.ts'];

interface Programs {
  tools: string;
  programs: string;
}

async function make(image: string, from: Programs, say: (doing: string) => void, progress: Progress): Promise<void> {
  const rootfs = await rootfsImage(progress);
  const scratch = await mkdtemp(join(tmpdir(), 'wherry-node-'));
  const bare = `${image}-bare`;
  try {
    say('the images of the control plane');
    const archive = join(scratch, 'images.tar');
    await saveComponentImages({...from, rootfs}, archive);
    say('the system of the node');
    await buildBareNode(bare, from, rootfs, scratch);
    say('the images into the node');
    await importImages(bare, archive, image);
  } finally {
    await rm(scratch, {recursive: true, force: true});
  }
  // The layers of both live on in the node image.
  await run('docker', ['image', 'rm', '--no-prune', bare, rootfs]);
}

/** The Debian system of a node as an image. */
async function rootfsImage(progress: Progress): Promise<string> {
  const key = await fingerprint({files: [join(recipes, 'rootfs.sh')]});
  const folder = await cachedFolder(cacheFolder(), 'rootfs', key, partial =>
    progress.step('make the Debian system of the nodes from packages', async say => {
      await run(join(recipes, 'rootfs.sh'), [join(partial, 'rootfs.tar')], {onLine: say});
    }),
  );
  const image = `wherry/kind-rootfs:${key}`;
  await run('docker', ['import', join(folder, 'rootfs.tar'), image]);
  return image;
}

async function buildBareNode(tag: string, from: Programs, rootfs: string, scratch: string): Promise<void> {
  const kind = await kindModule();
  const base = join(scratch, 'base');
  await kind.copyFiles(base);
  const manifests = {
    cni: await kind.manifest('Cni', {kindnetdImage: images.kindnetd}),
    storage: await kind.manifest('Storage', {
      storageProvisionerImage: images.provisioner,
      storageHelperImage: images.helper,
    }),
  };
  const placed = (folder: string, names: string[]): Record<string, ContextFile> =>
    Object.fromEntries(names.map(name => [`files/${folder}/${name}`, {from: join(from.programs, name)}]));
  const linked = ['kubelet', 'kubeadm', 'kubectl'].map(name => [`files/usr/bin/${name}`, {linkTo: 'kubernetes'}]);
  await buildImage({
    tag,
    dockerfile: join(recipes, 'node.Dockerfile'),
    args: {ROOTFS: rootfs},
    files: {
      files: {from: base},
      ...placed('usr/local/bin', ['containerd', 'containerd-shim-runc-v2', 'ctr', 'crictl']),
      ...placed('opt/cni/bin', ['host-local', 'loopback', 'ptp', 'portmap']),
      'files/usr/bin/kubernetes': {from: join(from.tools, 'hyper')},
      ...Object.fromEntries(linked),
      'files/kind/version': {text: kubernetesVersion},
      'files/kind/manifests/default-cni.yaml': {text: manifests.cni},
      'files/kind/manifests/default-storage.yaml': {text: manifests.storage},
      'files/etc/kubernetes/manifests/.keep': {text: ''},
    },
  });
}

async function importImages(bare: string, archive: string, image: string): Promise<void> {
  const mounts = ['--volume', `${archive}:/images.tar:ro`, '--volume', `${recipes}:/recipes:ro`];
  const options = ['--detach', '--security-opt', 'seccomp=unconfined', '--entrypoint', 'sleep', ...mounts];
  const container = await run('docker', ['run', ...options, bare, 'infinity']);
  try {
    await run('docker', ['exec', container, 'bash', '/recipes/import-images.sh', '/images.tar']);
    const entrypoint = 'ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]';
    await run('docker', ['commit', '--change', entrypoint, '--change', 'CMD []', container, image]);
  } finally {
    await run('docker', ['rm', '--force', '--volumes', container]);
  }
}
