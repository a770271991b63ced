import {readFile, writeFile} from 'node:fs/promises';
import {launcherImageBefore} from '../../../../images/launcher/before.ts';
import {clusterUp} from '../../../../scripts/cluster/cluster.ts';
import {loadImages} from '../../../../scripts/cluster/load.ts';
import type {Progress} from '../../../../scripts/core/progress.ts';
import {faultsEnvironmentFile} from '../../../e2e/environment.ts';
import setUp from '../../../e2e/global-setup.ts';
import type {E2eEnvironment} from '../../../support/guests.ts';

/** A cluster of its own, with a node to spare: these tests break nodes. It also has the launcher of before, where there is one. */
export default async function setUpFaults(progress: Progress): Promise<void> {
  const options = {name: 'wherry-faults', workers: 2};
  // The largest of the images, which no guest here boots.
  await setUp(progress, {...options, without: ['guest-debian']}, faultsEnvironmentFile);
  const launcherBefore = await launcherImageBefore(progress);
  if (launcherBefore === undefined) return;
  await loadImages(progress, await clusterUp(progress, options), [launcherBefore]);
  const environment = JSON.parse(await readFile(faultsEnvironmentFile, 'utf8')) as E2eEnvironment;
  const images = {...environment.images, launcherBefore};
  await writeFile(faultsEnvironmentFile, JSON.stringify({...environment, images}, null, 2));
}
