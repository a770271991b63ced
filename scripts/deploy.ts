import {type ImageName, buildImages} from '../images/build.ts';
import {type ClusterOptions, clusterUp} from './cluster/cluster.ts';
import {loadImages} from './cluster/load.ts';
import {run} from './core/command.ts';
import {repository} from './core/paths.ts';
import type {Progress} from './core/progress.ts';

/** Wherry on the kind cluster, ready for machines. */
export interface Deployment {
  readonly kubeconfig: string;
  /** Folder of the pinned kind, kubectl and helm. */
  readonly programs: string;
  /** Names of the containers that are the nodes where pods run. */
  readonly nodes: readonly string[];
  /** References of all images, as the cluster knows them. */
  readonly images: Readonly<Record<ImageName, string>>;
  /** Runs kubectl against the cluster; its standard output. */
  kubectl(...args: string[]): Promise<string>;
}

export interface DeployOptions extends ClusterOptions {
  /** Images that the nodes need not have. */
  readonly without?: readonly ImageName[];
}

/** The namespace that the chart is installed in. */
export const namespace = 'wherry';

/** Builds what changed, brings the cluster up and installs the chart. What is done already is not done again. */
export const deploy = async (progress: Progress, options: DeployOptions = {}): Promise<Deployment> => {
  const cluster = await clusterUp(progress, options);
  const images = await buildImages(progress);
  const wanted = Object.entries(images).filter(([name]) => !options.without?.some(one => one === name));
  await loadImages(
    progress,
    cluster,
    wanted.map(([, image]) => image),
  );
  const env = {KUBECONFIG: cluster.kubeconfig};
  await progress.step('install the chart with Helm', () =>
    run(cluster.tools.helm, helmArguments(images), {cwd: repository, env}),
  );
  return {
    kubeconfig: cluster.kubeconfig,
    programs: cluster.tools.folder,
    nodes: cluster.nodes,
    images,
    kubectl: (...args) => run(cluster.tools.kubectl, args, {cwd: repository, env}),
  };
};

/** `--wait` returns when the operator and all daemons are ready: machines can start then. */
export const helmArguments = (images: Readonly<Record<ImageName, string>>): string[] => {
  const values = {
    'images.operator': images.operator,
    'images.nodeDaemon': images['node-daemon'],
    'images.launcher': images.launcher,
    'configuration.allowEmulation': 'true',
    'test.image': images['guest-tiny'],
  };
  const command = `upgrade --install wherry ./helm --namespace ${namespace} --create-namespace --wait --timeout 3m`;
  return [...command.split(' '), ...Object.entries(values).flatMap(([name, value]) => ['--set', `${name}=${value}`])];
};
