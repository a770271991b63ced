import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {cachedFolder} from '../core/cached.ts';
import {cacheFolder} from '../core/paths.ts';
import type {Progress} from '../core/progress.ts';
import {type GoBuild, goBuild, goFingerprint, kubernetesVersion} from './go-build.ts';
import {provisionerOverlay, provisionerPackage} from './overlay.ts';

const containerd = 'github.com/containerd/containerd/v2/cmd';
const cni = 'github.com/containernetworking/plugins/plugins';

const build: GoBuild = {
  packages: [
    './coredns',
    provisionerPackage,
    `${containerd}/containerd`,
    `${containerd}/containerd-shim-runc-v2`,
    `${containerd}/ctr`,
    'sigs.k8s.io/cri-tools/cmd/crictl',
    `${cni}/ipam/host-local`,
    `${cni}/main/loopback`,
    `${cni}/main/ptp`,
    `${cni}/meta/portmap`,
  ],
};

/** The folder of the programs that only a kind node needs, built where its official image cannot be had. */
export async function nodePrograms(progress: Progress): Promise<string> {
  return cachedFolder(join(cacheFolder(), 'tools'), 'node', await goFingerprint(build), partial =>
    progress.step(`build the programs of a Kubernetes ${kubernetesVersion} node from Go modules`, async say => {
      const scratch = await mkdtemp(join(tmpdir(), 'wherry-overlay-'));
      try {
        const overlay = await provisionerOverlay(scratch);
        await goBuild({...build, extra: [`-overlay=${overlay}`]}, partial, say);
      } finally {
        await rm(scratch, {recursive: true, force: true});
      }
    }),
  );
}
