/** `npm run bench`: figures beside their goals. It fails only where it cannot measure. `--only start,memory` measures some. */
import {mkdir, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {main} from '../../scripts/core/main.ts';
import {repository} from '../../scripts/core/paths.ts';
import type {Progress} from '../../scripts/core/progress.ts';
import {environmentFile} from '../e2e/environment.ts';
import setUp from '../e2e/global-setup.ts';
import {readArguments} from './arguments.ts';
import {measureBatch} from './batch.ts';
import {measureDaemon} from './daemon.ts';
import {rowsOf, type Section, table} from './figure.ts';
import {measureIdle} from './idle.ts';
import {describeHost, describeMachine, hostSentence, sentence} from './machine.ts';
import {measureNative} from './native/measure.ts';
import {page} from './page.ts';
import {measureRecovery} from './recovery.ts';
import {Stage} from './stage.ts';
import {measureStart} from './start.ts';
import {measureWrites} from './writes.ts';

type Measure = (stage: Stage, say: (doing: string) => void) => Promise<readonly Section[]>;

/** In this order: the quiet ones first. */
const measures: Readonly<Record<string, Measure>> = {
  idle: measureIdle,
  start: measureStart,
  writes: measureWrites,
  memory: measureBatch,
  daemon: measureDaemon,
  recovery: measureRecovery,
};

/** Needs no cluster. */
const native = 'native';

const resultFile = join(repository, '.wherry/bench.json');
const pageFile = join(repository, 'docs/reference/benchmarks.md');

await main(async progress => {
  const {only, writePage} = readArguments(process.argv.slice(2), [...Object.keys(measures), native]);
  const onCluster = only.filter(name => name !== native);
  const {machine, sections} =
    onCluster.length === 0
      ? {machine: hostSentence(describeHost()), sections: []}
      : await clusterFigures(onCluster, progress);
  // Last, as it has nothing to do with what a machine in the cluster costs, and takes both cores.
  if (only.includes(native)) sections.push(...(await measured(native, progress, () => measureNative(progress))));
  const date = new Date().toISOString().slice(0, 10);
  await mkdir(dirname(resultFile), {recursive: true});
  await writeFile(resultFile, `${JSON.stringify({date, machine, sections}, null, 2)}\n`);
  if (writePage) await writeFile(pageFile, page({date, machine, sections}));
});

interface Figures {
  /** What was measured on, in a sentence. */
  readonly machine: string;
  readonly sections: Section[];
}

async function clusterFigures(only: readonly string[], progress: Progress): Promise<Figures> {
  await setUp(progress);
  const stage = await Stage.open(environmentFile);
  try {
    const machine = sentence(await progress.step('see what runs a machine here', () => describeMachine(stage)));
    console.log(`\n${machine}\n`);
    const sections: Section[] = [];
    for (const name of only) {
      const found = await measured(name, progress, say => measures[name]!(stage, say));
      // What a measure that failed has left would disturb the next.
      if (found.length === 0) await stage.clear();
      sections.push(...found);
    }
    return {machine, sections};
  } finally {
    await progress.step('clean up', () => stage.close());
  }
}

/** What cannot be measured is said, and the rest is measured all the same. */
async function measured(
  name: string,
  progress: Progress,
  measure: (say: (doing: string) => void) => Promise<readonly Section[]>,
): Promise<readonly Section[]> {
  try {
    const sections = await progress.step(`measure: ${name}`, measure);
    sections.forEach(print);
    return sections;
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
    return [];
  }
}

function indent(line: string): string {
  return `  ${line}`;
}

function print(section: Section): void {
  console.log(`\n${section.title}: ${section.how}\n`);
  console.log(table(rowsOf(section)).map(indent).join('\n'));
  if (section.details !== undefined) console.log(`\n${table(section.details).map(indent).join('\n')}`);
  console.log();
}
