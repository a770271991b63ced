import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {run} from '../../core/command.ts';
import {buildImage, type ContextFile} from '../../core/docker.ts';
import {kubernetesVersion} from '../../toolchain/go-build.ts';
import {pauseImage} from './kind-module.ts';
import {recipes} from './recipes.ts';

/** Names by which kubeadm and kind's manifests ask for what a cluster runs. */
export const images = {
  apiserver: `registry.k8s.io/kube-apiserver:${kubernetesVersion}`,
  controllerManager: `registry.k8s.io/kube-controller-manager:${kubernetesVersion}`,
  scheduler: `registry.k8s.io/kube-scheduler:${kubernetesVersion}`,
  proxy: `registry.k8s.io/kube-proxy:${kubernetesVersion}`,
  etcd: 'registry.k8s.io/etcd:3.6.8-0',
  coredns: 'registry.k8s.io/coredns/coredns:v1.14.2',
  pause: pauseImage,
  kindnetd: 'docker.io/kindest/kindnetd:local',
  provisioner: 'docker.io/kindest/local-path-provisioner:local',
  helper: 'docker.io/kindest/local-path-helper:local',
};

export interface ComponentSources {
  /** Folder of hyper and etcd. */
  tools: string;
  /** Folder of what else runs on a node. */
  programs: string;
  /** Image of the node's Debian system, which has the packet-filter tools. */
  rootfs: string;
}

/** Components of Kubernetes that the one binary holds, as the images call them. */
const components = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'kindnetd'];

/** Every image that a cluster starts from, in one archive that `ctr images import` reads. */
export async function saveComponentImages(sources: ComponentSources, archive: string): Promise<void> {
  await buildImage({
    tag: images.apiserver,
    dockerfile: join(recipes, 'kubernetes.Dockerfile'),
    files: {
      'root/usr/local/bin/kubernetes': {from: join(sources.tools, 'hyper')},
      ...Object.fromEntries(components.map(name => [`root/usr/local/bin/${name}`, {linkTo: 'kubernetes'}])),
      'root/tmp/.keep': {text: ''},
    },
  });
  for (const same of [images.controllerManager, images.scheduler]) await run('docker', ['tag', images.apiserver, same]);
  for (const [target, tag] of [
    ['kube-proxy', images.proxy],
    ['kindnetd', images.kindnetd],
  ] as const) {
    await buildImage({
      tag,
      target,
      dockerfile: join(recipes, 'network.Dockerfile'),
      args: {ROOTFS: sources.rootfs, KUBERNETES: images.apiserver},
      files: {'collect-net-tools.sh': {from: join(recipes, 'collect-net-tools.sh')}},
    });
  }
  await program(images.etcd, 'etcd', join(sources.tools, 'etcd'));
  await program(images.coredns, 'coredns', join(sources.programs, 'coredns'));
  await program(images.provisioner, 'local-path-provisioner', join(sources.programs, 'local-path-provisioner'));
  await program(images.helper, 'busybox', '/bin/busybox', ['sh', 'mkdir', 'rm']);
  await withPause(pause => program(images.pause, 'pause', pause));
  const names = Object.values(images);
  await run('docker', ['save', '--output', archive, ...names]);
  await run('docker', ['image', 'rm', ...names]);
}

/** An image of one static program, which also answers to `aliases` in /bin. */
async function program(tag: string, name: string, from: string, aliases: string[] = []): Promise<void> {
  const files: Record<string, ContextFile> = {
    [`root/usr/local/bin/${name}`]: {from},
    'root/usr/local/bin/program': {linkTo: name},
  };
  for (const alias of aliases) files[`root/bin/${alias}`] = {linkTo: `/usr/local/bin/${name}`};
  await buildImage({tag, dockerfile: join(recipes, 'program.Dockerfile'), files});
}

async function withPause(use: (path: string) => Promise<void>): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'wherry-pause-'));
  try {
    const pause = join(scratch, 'pause');
    await run('gcc', ['-Os', '-static', '-s', '-o', pause, join(recipes, 'pause.c')]);
    await use(pause);
  } finally {
    await rm(scratch, {recursive: true, force: true});
  }
}
