/** A guest of the native engine in a lab node. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {staticPrograms} from '../../../../images/static-programs.ts';
import type {Progress} from '../../../../scripts/core/progress.ts';
import {bundle, koffiFiles} from '../bundle.ts';
import type {Lab} from '../lab.ts';
import type {Outcome, Scenario} from './scenario.ts';

const programs = ['main', 'inject', 'cycles'];

/** What a lab node needs for `runScenario`. */
export async function nativeFiles(progress: Progress, scratch: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {'wherry-vmm': (await staticPrograms(progress)).vmm, ...koffiFiles('native')};
  for (const name of programs) {
    const file = join(scratch, `${name}.mjs`);
    await bundle(join(import.meta.dirname, `${name}.ts`), file);
    files[`native/${name}.mjs`] = file;
  }
  return files;
}

/**
 * Takes a guest through its steps, the first of which that fails is the last. The console is kept beside the node's logs.
 * @param name of the guest, for its files.
 */
export async function runScenario(
  lab: Lab,
  name: string,
  scenario: Omit<Scenario, 'vmm'>,
  timeoutMs: number,
): Promise<Outcome> {
  const text = JSON.stringify({vmm: '/payload/wherry-vmm', ...scenario});
  const files = {scenario: `/run/${name}.json`, outcome: `/run/${name}.outcome.json`};
  const program = `printf %s "$SCENARIO" >${files.scenario} && exec node /payload/native/main.mjs ${files.scenario} ${files.outcome}`;
  const ended = await lab.run(['sh', '-c', program], {timeoutMs, env: {SCENARIO: text}});
  if (ended.status !== 0) throw new Error(`the scenario could not be run: ${ended.stderr}\n${await lab.log()}`);
  const outcome = JSON.parse((await lab.read(files.outcome)).toString()) as Outcome;
  await writeFile(join(lab.folder, `${name}.console`), outcome.console);
  return outcome;
}
