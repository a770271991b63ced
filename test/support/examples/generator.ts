import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {repository} from '../../../scripts/core/paths.ts';
import type {Generator} from '../../../scripts/generate/generator.ts';
import {kubevirtVersion} from '../../../scripts/toolchain/virtctl.ts';
import {installAnnotationPolicy} from '../annotation-policy.ts';
import {startControlPlane} from '../control-plane.ts';
import {crdFolder} from '../crds.ts';
import {examplesIn, pinnedExampleFolder} from './manifests.ts';
import {outcomesOf, type Outcome} from './outcomes.ts';
import {examplesPage, GUIDE, PAGE, withExamples} from './page.ts';

/** The files that tell of these outcomes, by path. */
export const examplesFiles = async (outcomes: readonly Outcome[]): Promise<ReadonlyMap<string, string>> =>
  new Map([
    [PAGE, examplesPage(kubevirtVersion, outcomes)],
    [GUIDE, withExamples(await readFile(join(repository, GUIDE), 'utf8'), outcomes)],
  ]);

const produce = async (): Promise<ReadonlyMap<string, string>> => {
  const control = await startControlPlane({crds: [crdFolder]});
  try {
    await installAnnotationPolicy(control.admin);
    return await examplesFiles(await outcomesOf(control.admin, await examplesIn(await pinnedExampleFolder())));
  } finally {
    await control.stop();
  }
};

/** What becomes of KubeVirt's example manifests. It asks a real API server, so only `npm run generate -- --examples` writes it. */
export const examples: Generator = {name: "KubeVirt's examples", folders: [], produce};
