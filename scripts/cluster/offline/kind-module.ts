import {chmod, cp, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {run} from '../../core/command.ts';
import {SetupError} from '../../core/errors.ts';
import {goModule} from '../../toolchain/go-build.ts';

/** What the node image takes from kind's own Go module at the pinned version. */
export interface KindModule {
  /** Files of kind's base image, at their places in the node. */
  copyFiles(folder: string): Promise<void>;
  /** Its manifests of the pod network and of the volume provisioner, with images named as given. */
  manifest(name: 'Cni' | 'Storage', images: Record<string, string>): Promise<string>;
}

export async function kindModule(): Promise<KindModule> {
  const folder = await run('go', ['list', '-m', '-f', '{{.Dir}}', 'sigs.k8s.io/kind'], {cwd: goModule});
  return {
    copyFiles: to => copyFiles(join(folder, 'images/base/files'), to),
    async manifest(name, images) {
      const file = join(folder, `pkg/build/nodeimage/const_${name.toLowerCase()}.go`);
      const constant = `default${name === 'Cni' ? 'CNI' : name}Manifest`;
      return manifestIn(await readFile(file, 'utf8'), constant, images);
    },
  };
}

async function copyFiles(from: string, to: string): Promise<void> {
  await cp(from, to, {recursive: true});
  // The module cache is read-only.
  await run('chmod', ['-R', 'u+w', to]);
  await run('chmod', ['-R', '755', join(to, 'usr/local/bin'), join(to, 'kind/bin')]);
  await rm(join(to, 'etc/systemd/system/containerd-fuse-overlayfs.service'));
  const config = join(to, 'etc/containerd/config.toml');
  await writeFile(config, boundedContainerd(await readFile(config, 'utf8')));
  await chmod(config, 0o644);
}

/** The pause image that kubeadm of the pinned version names. */
export const pauseImage = 'registry.k8s.io/pause:3.10.2';

/** kind's configuration of containerd, for a node without fuse-overlayfs that may lack CAP_SYS_RESOURCE. */
export function boundedContainerd(config: string): string {
  const changes: [RegExp, string][] = [
    [/sandbox_image = .*/, `sandbox_image = "${pauseImage}"`],
    [/restrict_oom_score_adj = .*/, 'restrict_oom_score_adj = true'],
    [/\[proxy_plugins\]\n(?:.*\n)*?\n/, ''],
  ];
  return changes.reduce((text, [pattern, replacement]) => {
    if (!pattern.test(text))
      throw new SetupError(`kind's containerd configuration has no ${pattern}: look at its new version`);
    return text.replace(pattern, replacement);
  }, config);
}

/** The text of a Go string constant that is put together from raw strings and other constants. */
export function manifestIn(source: string, constant: string, images: Record<string, string>): string {
  const start = source.indexOf(`const ${constant} = \``);
  if (start < 0) throw new SetupError(`kind's source has no ${constant}: look at its new version`);
  const text = source.slice(source.indexOf('`', start) + 1, source.lastIndexOf('`'));
  return text.replace(/` \+ (\w+) \+ `/g, (_, name: string) => {
    const image = images[name];
    if (!image) throw new SetupError(`${constant} names an image ${name} that is not made here`);
    return image;
  });
}
