import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {run} from '../core/command.ts';
import {repository} from '../core/paths.ts';
import {seconds} from '../core/progress.ts';
import type {Suite, SuiteResult} from './suite.ts';

/** One question about the source that a program answers by how it ends. */
export interface Check {
  name: string;
  command: readonly [program: string, ...args: string[]];
  /** How to put right what it found, where a command can. */
  fix?: string;
}

const generator = join(repository, 'scripts/generate.ts');

/** Those of one lane run one after another, the lanes side by side: Rust's take as long as all others. */
const lanes: readonly (readonly Check[])[] = [
  [
    {name: 'rust format', command: ['cargo', 'fmt', '--all', '--check'], fix: 'cargo fmt --all'},
    {name: 'clippy', command: ['cargo', 'clippy', '--quiet', '--workspace', '--all-targets', '--', '-D', 'warnings']},
  ],
  [
    {name: 'types', command: ['tsc']},
    {name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings']},
    {
      name: 'format',
      command: ['biome', 'format', '--error-on-warnings', '--reporter=summary', '.'],
      fix: 'npm run format',
    },
    {
      name: 'go format',
      command: ['bash', 'scripts/offline/gofmt-check.sh'],
      fix: 'gofmt -w scripts/offline/kubernetes',
    },
    ...(existsSync(generator)
      ? [{name: 'generated files', command: ['node', generator, '--check'] as const, fix: 'npm run generate'}]
      : []),
  ],
];

/** Everything that can be said about the source without running it. */
export const checkSuite: Suite = {
  name: 'check',
  async run() {
    const results = (await Promise.all(lanes.map(runLane))).flat();
    return {
      passed: results.filter(({ok}) => ok).length,
      failed: results.filter(({ok}) => !ok).map(({name}) => name),
      skipped: [],
    } satisfies Omit<SuiteResult, 'suite' | 'took'>;
  },
};

async function runLane(lane: readonly Check[]): Promise<{name: string; ok: boolean}[]> {
  const results = [];
  for (const check of lane) results.push({name: check.name, ok: await passes(check)});
  return results;
}

async function passes({name, command: [program, ...args], fix}: Check): Promise<boolean> {
  const started = performance.now();
  const lines: string[] = [];
  try {
    await run(program, args, {cwd: repository, onLine: line => lines.push(line)});
    console.log(`✓ ${name} (${seconds(performance.now() - started)})`);
    return true;
  } catch (error) {
    // All of it, where the error itself has only the end.
    console.log(lines.length > 0 ? lines.join('\n') : String(error));
    console.log(`✗ ${name} (${seconds(performance.now() - started)})${fix ? `: put it right with ${fix}` : ''}`);
    return false;
  }
}
