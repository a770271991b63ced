import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {run} from '../core/command.ts';
import {repository} from '../core/paths.ts';
import {seconds} from '../core/progress.ts';
import {type Answer, crateAdvisories, npmAudit} from '../supply-chain/advisories.ts';
import {readCargo, readNpm, unwelcome} from '../supply-chain/packages.ts';
import type {Skipped, Suite, SuiteResult} from './suite.ts';

/** One question about the source. */
export type Check = {readonly name: string} & (
  | {
      /** A program answers it by how it ends. */
      readonly command: readonly [program: string, ...args: string[]];
      /** How to put right what it found, where a command can. */
      readonly fix?: string;
    }
  | {readonly ask: () => Promise<Answer>}
);

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
  [
    {
      name: 'licences and sources',
      ask: async () => ({at: 'asked', found: unwelcome([...(await readNpm()), ...(await readCargo())])}),
    },
    {name: 'npm audit', ask: npmAudit},
    {name: 'advisories of crates', ask: async () => crateAdvisories(await readCargo())},
  ],
];

/** Everything that can be said about the source without running it. */
export const checkSuite: Suite = {
  name: 'check',
  async run() {
    const results = (await Promise.all(lanes.map(runLane))).flat();
    return {
      passed: results.filter(({verdict}) => verdict === 'passed').length,
      failed: results.filter(({verdict}) => verdict === 'failed').map(({name}) => name),
      skipped: results.flatMap(({name, verdict}): Skipped[] =>
        typeof verdict === 'object' ? [{name, reason: verdict.needs}] : [],
      ),
    } satisfies Omit<SuiteResult, 'suite' | 'took'>;
  },
};

type Verdict = 'passed' | 'failed' | {readonly needs: string};

async function runLane(lane: readonly Check[]): Promise<{name: string; verdict: Verdict}[]> {
  const results = [];
  for (const check of lane) results.push({name: check.name, verdict: await verdictOf(check)});
  return results;
}

async function verdictOf(check: Check): Promise<Verdict> {
  const started = performance.now();
  const took = (): string => seconds(performance.now() - started);
  const answer = await ('ask' in check ? asked(check) : ended(check));
  if (answer.at === 'unreachable') {
    console.log(`- ${check.name}: skipped (${answer.needs})`);
    return {needs: answer.needs};
  }
  if (answer.found.length === 0) {
    console.log(`✓ ${check.name} (${took()})`);
    return 'passed';
  }
  const fix = 'fix' in check && check.fix ? `: put it right with ${check.fix}` : '';
  console.log([...answer.found, `✗ ${check.name} (${took()})${fix}`].join('\n'));
  return 'failed';
}

/** A check that could not be done where it could have been has failed. */
const asked = ({ask}: {readonly ask: () => Promise<Answer>}): Promise<Answer> =>
  ask().catch((error: unknown) => ({at: 'asked', found: [String(error)]}));

async function ended({
  command: [program, ...args],
}: {
  readonly command: readonly [string, ...string[]];
}): Promise<Answer> {
  const lines: string[] = [];
  try {
    await run(program, args, {cwd: repository, onLine: line => lines.push(line)});
    return {at: 'asked', found: []};
  } catch (error) {
    // All of it, where the error itself has only the end.
    return {at: 'asked', found: lines.length > 0 ? lines : [String(error)]};
  }
}
