import {mkdir, rename, symlink} from 'node:fs/promises';
import {join} from 'node:path';
import {cachedFolder} from '../core/cached.ts';
import {cacheFolder} from '../core/paths.ts';
import type {Progress} from '../core/progress.ts';
import {type GoBuild, goBuild, goFingerprint, kubernetesVersion} from './go-build.ts';

const build: GoBuild = {packages: ['./hyper', './etcd', 'sigs.k8s.io/kind', 'helm.sh/helm/v4/cmd/helm']};

/** One binary holds these; the name that it is called by picks the component. */
const components = ['kubectl', 'kube-apiserver'];

/** Paths of programs, all built from the pinned Go module. */
export interface Tools {
  /** The folder that holds them all, fit for PATH. */
  folder: string;
  kind: string;
  kubectl: string;
  helm: string;
  etcd: string;
  apiserver: string;
  /** The binary of all Kubernetes components, for the node image. */
  hyper: string;
}

/**
 * kind, kubectl, helm, etcd and kube-apiserver: built on first use, some 12 minutes on two cores, and kept in the cache.
 * `<cache>/bin` holds links to the ones used last.
 */
export async function tools(progress: Progress): Promise<Tools> {
  const folder = await cachedFolder(join(cacheFolder(), 'tools'), 'tools', await goFingerprint(build), partial =>
    progress.step(
      `build kind, kubectl, helm, etcd and kube-apiserver ${kubernetesVersion} from Go modules`,
      async say => {
        await goBuild(build, partial, say);
        for (const component of components) await symlink('hyper', join(partial, component));
      },
    ),
  );
  const found = {
    folder,
    kind: join(folder, 'kind'),
    kubectl: join(folder, 'kubectl'),
    helm: join(folder, 'helm'),
    etcd: join(folder, 'etcd'),
    apiserver: join(folder, 'kube-apiserver'),
    hyper: join(folder, 'hyper'),
  };
  await linkInto(
    join(cacheFolder(), 'bin'),
    Object.values(found).filter(path => path !== folder),
  );
  return found;
}

async function linkInto(bin: string, programs: readonly string[]): Promise<void> {
  await mkdir(bin, {recursive: true});
  for (const target of programs) {
    const link = join(bin, target.slice(target.lastIndexOf('/') + 1));
    // Made aside and moved, so that the name is never missing.
    const fresh = `${link}.${process.pid}`;
    await symlink(target, fresh);
    await rename(fresh, link);
  }
}
