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
import {describeMachine, sentence} from './machine.ts';
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

const resultFile = join(repository, '.wherry/bench.json');
const pageFile = join(repository, 'docs/reference/benchmarks.md');

await main(async progress => {
  const {only, writePage} = readArguments(process.argv.slice(2), Object.keys(measures));
  await setUp(progress);
  const stage = await Stage.open(environmentFile);
  try {
    const machine = await progress.step('see what runs a machine here', () => describeMachine(stage));
    console.log(`\n${sentence(machine)}\n`);
    const sections: Section[] = [];
    for (const name of only) sections.push(...(await measured(name, stage, progress)));
    const date = new Date().toISOString().slice(0, 10);
    await mkdir(dirname(resultFile), {recursive: true});
    await writeFile(resultFile, `${JSON.stringify({date, machine, sections}, null, 2)}\n`);
    if (writePage) await writeFile(pageFile, page({date, machine: sentence(machine), sections}));
  } finally {
    await progress.step('clean up', () => stage.close());
  }
});

/** What cannot be measured is said, and the rest is measured all the same. */
async function measured(name: string, stage: Stage, progress: Progress): Promise<readonly Section[]> {
  try {
    const sections = await progress.step(`measure: ${name}`, say => measures[name]!(stage, say));
    sections.forEach(print);
    return sections;
  } catch (error) {
    console.error(error);
    process.exitCode = 1;
    // What it left would disturb the next.
    await stage.clear();
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
