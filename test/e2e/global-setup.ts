import {mkdir, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {Progress} from '../../scripts/core/progress.ts';
import {deploy, type DeployOptions, helmArguments} from '../../scripts/deploy.ts';
import {virtctl} from '../../scripts/toolchain/virtctl.ts';
import type {E2eEnvironment} from '../support/guests.ts';
import {environmentFile} from './environment.ts';

/** Wherry on the kind cluster, from this working tree, and a file that tells the tests where everything is. */
export default async function setUp(
  progress: Progress,
  options: DeployOptions = {},
  file: string = environmentFile,
): Promise<void> {
  const deployment = await deploy(progress, options);
  const environment: E2eEnvironment = {
    kubectl: join(deployment.programs, 'kubectl'),
    kubeconfig: deployment.kubeconfig,
    virtctl: await virtctl(progress),
    helm: join(deployment.programs, 'helm'),
    helmArguments: helmArguments(deployment.images),
    nodes: deployment.nodes,
    images: {
      tiny: deployment.images['guest-tiny'],
      tinyDisk: deployment.images['guest-tiny-disk'],
      debian: deployment.images['guest-debian'],
      launcher: deployment.images.launcher,
    },
  };
  await mkdir(dirname(file), {recursive: true});
  await writeFile(file, JSON.stringify(environment, null, 2));
}
