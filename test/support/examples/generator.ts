import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {repository} from '../../../scripts/core/paths.ts';
import {progress} from '../../../scripts/core/progress.ts';
import type {Generator} from '../../../scripts/generate/generator.ts';
import {kubevirtVersion, virtctl} from '../../../scripts/toolchain/virtctl.ts';
import {installAnnotationPolicy} from '../annotation-policy.ts';
import {startControlPlane} from '../control-plane.ts';
import {aMachine, crdFolder, send} from '../crds.ts';
import {commandOutcomes, type CommandOutcome, flagOutcomes, type FlagOutcome} from '../virtctl/outcomes.ts';
import {VIRTCTL_PAGE, virtctlPage} from '../virtctl/page.ts';
import {examplesIn, pinnedExampleFolder} from './manifests.ts';
import {outcomesOf, type Outcome} from './outcomes.ts';
import {examplesPage, GUIDE, PAGE, withExamples} from './page.ts';

/** The files that tell what becomes of the examples, by path. */
export const examplesFiles = async (outcomes: readonly Outcome[]): Promise<ReadonlyMap<string, string>> =>
  new Map([
    [PAGE, examplesPage(kubevirtVersion, outcomes)],
    [GUIDE, withExamples(await readFile(join(repository, GUIDE), 'utf8'), outcomes)],
  ]);

/** The file that tells what virtctl does, by path. */
export const virtctlFiles = (
  flags: readonly FlagOutcome[],
  commands: readonly CommandOutcome[],
): ReadonlyMap<string, string> => new Map([[VIRTCTL_PAGE, virtctlPage(kubevirtVersion, flags, commands)]]);

const produce = async (): Promise<ReadonlyMap<string, string>> => {
  const tool = await virtctl(progress());
  const control = await startControlPlane({crds: [crdFolder]});
  try {
    await installAnnotationPolicy(control.admin);
    const outcomes = await outcomesOf(control.admin, await examplesIn(await pinnedExampleFolder()));
    const flags = await flagOutcomes(tool, control.admin);
    await send(control, aMachine('vm'));
    const commands = await commandOutcomes(tool, control.kubeconfig);
    return new Map([...(await examplesFiles(outcomes)), ...virtctlFiles(flags, commands)]);
  } finally {
    await control.stop();
  }
};

/** What becomes of KubeVirt's examples and of virtctl. It asks a real API server, so only `npm run generate -- --examples` writes it. */
export const examples: Generator = {name: "KubeVirt's examples and virtctl", folders: [], produce};
