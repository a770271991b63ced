import {existsSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {run} from '../core/command.ts';
import {ensureDocker} from '../core/docker.ts';
import {SetupError} from '../core/errors.ts';
import {withLock} from '../core/lock.ts';
import {cacheFolder} from '../core/paths.ts';
import type {Progress} from '../core/progress.ts';
import {type Tools, tools} from '../toolchain/tools.ts';
import {kindConfig} from './kind-config.ts';
import {nodeImage} from './node-image.ts';
import {nextAction, type Observed} from './state.ts';

/** Which cluster a command means. */
export interface ClusterOptions {
  /** Defaults to wherry. */
  readonly name?: string;
  /** Nodes where pods run, beside the control plane. Defaults to 1. */
  readonly workers?: number;
}

/** A kind cluster that is up: one control plane and its workers. */
export interface Cluster {
  name: string;
  /** Path of a kubeconfig of this cluster alone. The user's own has it too, as context `kind-<name>`. */
  kubeconfig: string;
  /** Name of the container that is the control plane. No ordinary pod runs there. */
  controlPlane: string;
  /** Names of the containers that are the nodes where pods run. */
  nodes: string[];
  tools: Tools;
}

const defaults: Required<ClusterOptions> = {name: 'wherry', workers: 1};

/** A node that has just started takes some seconds to be ready; one that needs longer is not well. */
const readyWithinMs = 60_000;

/**
 * The cluster, made unless it is there and well. One that is half made, broken or of another node image is replaced,
 * with all that ran in it.
 */
export async function clusterUp(progress: Progress, options: ClusterOptions = {}): Promise<Cluster> {
  const {name, workers} = {...defaults, ...options};
  await ensureDocker(progress);
  const cluster: Cluster = {
    name,
    kubeconfig: kubeconfigOf(name),
    controlPlane: `${name}-control-plane`,
    nodes: workersOf(name, workers),
    tools: await tools(progress),
  };
  const image = await nodeImage(progress);
  await withLock(join(cacheFolder(), `cluster-${name}.lock`), () => settle(cluster, image, progress));
  return cluster;
}

/** Removes the cluster with all that runs in it, and its context from the user's kubeconfig. */
export async function clusterDown(progress: Progress, options: ClusterOptions = {}): Promise<void> {
  const {name} = {...defaults, ...options};
  await ensureDocker(progress);
  const {kind} = await tools(progress);
  await withLock(join(cacheFolder(), `cluster-${name}.lock`), async () => {
    if ((await containersOf(name)).length === 0) return progress.note(`there is no cluster ${name}`);
    await progress.step(`remove the cluster ${name}`, () => run(kind, ['delete', 'cluster', '--name', name]));
    await rm(kubeconfigOf(name), {force: true});
  });
}

async function settle(cluster: Cluster, image: string, progress: Progress): Promise<void> {
  const wanted = {image, nodes: 1 + cluster.nodes.length};
  let action = nextAction(await observe(cluster), wanted);
  if (action.do === 'start') {
    await progress.step(`start the stopped nodes of the cluster ${cluster.name}`, () =>
      run('docker', ['start', cluster.controlPlane, ...cluster.nodes]),
    );
    action = nextAction(await observe(cluster), wanted);
  }
  switch (action.do) {
    case 'keep':
      if (!existsSync(cluster.kubeconfig)) await exportKubeconfig(cluster);
      return progress.note(`the cluster ${cluster.name} is up`);
    case 'start':
      throw new SetupError(`the nodes of the cluster ${cluster.name} do not stay up: npm run down, then try again`);
    case 'replace':
      progress.note(`the cluster ${cluster.name} is replaced: ${action.because}`);
      await run(cluster.tools.kind, ['delete', 'cluster', '--name', cluster.name]);
      return create(cluster, image, progress);
    case 'create':
      return create(cluster, image, progress);
  }
}

async function create(cluster: Cluster, image: string, progress: Progress): Promise<void> {
  const {
    name,
    tools: {kind},
  } = cluster;
  const workers = cluster.nodes.length;
  const config = kindConfig({name, workers, cgroupVersion: await cgroupVersion()});
  const size = workers === 1 ? 'a worker' : `${workers} workers`;
  await progress.step(`create the kind cluster ${name}, a control plane and ${size}`, async say => {
    const args = ['create', 'cluster', '--image', image, '--config', '-', '--wait', '120s'];
    await run(kind, args, {input: config, onLine: say});
    await exportKubeconfig(cluster);
    await readyNodes(cluster);
  });
}

async function exportKubeconfig({name, tools: {kind}, kubeconfig}: Cluster): Promise<void> {
  await run(kind, ['export', 'kubeconfig', '--name', name, '--kubeconfig', kubeconfig]);
}

async function observe(cluster: Cluster): Promise<Observed> {
  const containers = await containersOf(cluster.name);
  const whole = containers.length === 1 + cluster.nodes.length && containers.every(container => container.running);
  return {containers, ready: whole ? await readyNodes(cluster) : undefined};
}

/** The nodes that are ready, as soon as all are or the time is over; undefined where nobody answered. */
async function readyNodes(cluster: Cluster): Promise<string[] | undefined> {
  const deadline = performance.now() + readyWithinMs;
  for (;;) {
    const ready = await readyNow(cluster);
    if (ready?.length === 1 + cluster.nodes.length || performance.now() > deadline) return ready;
    await sleep(500);
  }
}

async function containersOf(name: string): Promise<Observed['containers']> {
  const format = '{{.Names}}\t{{.Image}}\t{{.State}}';
  const filter = `label=io.x-k8s.kind.cluster=${name}`;
  const rows = await run('docker', ['ps', '--all', '--no-trunc', '--filter', filter, '--format', format]);
  return rows
    .split('\n')
    .filter(row => row !== '')
    .map(row => row.split('\t'))
    .map(([container = '', image = '', state]) => ({name: container, image, running: state === 'running'}));
}

/** Asks with the node's own credentials: a kubeconfig of an earlier cluster of this name would not fit. */
async function readyNow({controlPlane}: Cluster): Promise<string[] | undefined> {
  const template = '{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
  const kubectl = ['kubectl', '--kubeconfig=/etc/kubernetes/admin.conf', '--request-timeout=10s'];
  try {
    const rows = await run('docker', ['exec', controlPlane, ...kubectl, 'get', 'nodes', `-o=jsonpath=${template}`]);
    return rows.split('\n').flatMap(row => (row.endsWith('=True') ? [row.slice(0, -'=True'.length)] : []));
  } catch {
    return undefined;
  }
}

async function cgroupVersion(): Promise<1 | 2> {
  return (await run('docker', ['info', '--format', '{{.CgroupVersion}}'])) === '1' ? 1 : 2;
}

/** As kind names them. */
function workersOf(name: string, workers: number): string[] {
  return Array.from({length: workers}, (_, index) => `${name}-worker${index === 0 ? '' : index + 1}`);
}

function kubeconfigOf(name: string): string {
  return join(cacheFolder(), `kubeconfig-${name}`);
}
