import {mkdir, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {run, succeeds} from '../core/command.ts';
import {repository} from '../core/paths.ts';
import type {Progress} from '../core/progress.ts';
import {readFuzzOutput} from './fuzz-report.ts';
import type {Suite} from './suite.ts';

const corpora = join(repository, 'native/fuzz/corpus');
/** What is found, each target's in a folder of its own; it stays between runs. */
const found = join(repository, '.wherry/fuzz');

const triple = 'x86_64-unknown-linux-gnu';
const program = join(repository, 'target/fuzz', triple, 'fuzz/wherry-fuzz');

/** LLVM's coverage, by options that stable Rust has too. */
const coverage = [
  '-Cpasses=sancov-module',
  ...[
    '-sanitizer-coverage-level=4',
    '-sanitizer-coverage-inline-8bit-counters',
    '-sanitizer-coverage-pc-table',
    '-sanitizer-coverage-trace-compares',
  ].map(argument => `-Cllvm-args=${argument}`),
  '-Ccodegen-units=1',
];

/** One input may take so many seconds and MiB; ours take microseconds. */
const limits = ['-timeout=10', '-rss_limit_mb=1024', '-max_len=65536'];

/** Targets at once: their time is the machine's, not a core's. */
const LANES = 2;

export interface FuzzOptions {
  /** For each target. */
  seconds: number;
  /** It runs beside the suite before it, whose programs come first. Defaults to false. */
  beside?: boolean;
}

/** libFuzzer looks for inputs that the targets of `native/fuzz` do not stand, from their kept corpora on. */
export const fuzzSuite = (progress: Progress, {seconds, beside = false}: FuzzOptions): Suite => ({
  name: 'fuzz',
  beside,
  async run() {
    const targets = (await readdir(corpora)).toSorted();
    if (!(await succeeds('c++', ['--version']))) {
      const reason = 'libFuzzer is C++ (needs c++; on Debian: apt-get install g++)';
      return {passed: 0, failed: [], skipped: targets.map(name => ({name, reason}))};
    }
    await progress.step('build the fuzz targets', build);
    const failed: string[] = [];
    const waiting = [...targets];
    const lane = async (): Promise<void> => {
      for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
        const fault = await fuzz(target, seconds);
        if (fault !== undefined) failed.push(fault);
      }
    };
    await Promise.all(Array.from({length: LANES}, lane));
    return {passed: targets.length - failed.length, failed, skipped: []};
  },
});

async function build(say: (doing: string) => void): Promise<void> {
  const args = ['build', '--locked', '--profile=fuzz', '--package=wherry-fuzz', '--features=libfuzzer'];
  // With a target named, what only builds is built without coverage.
  const places = [`--target=${triple}`, `--target-dir=${join(repository, 'target/fuzz')}`];
  await run('nice', ['-n19', 'cargo', ...args, ...places], {
    cwd: repository,
    env: {RUSTFLAGS: coverage.join(' ')},
    onLine: say,
  });
}

/** What went wrong, with the input that did it. */
async function fuzz(target: string, seconds: number): Promise<string | undefined> {
  const folder = join(found, target);
  await mkdir(folder, {recursive: true});
  const lines: string[] = [];
  const ended = await run(
    'nice',
    [
      '-n19',
      program,
      `-max_total_time=${seconds}`,
      '-print_final_stats=1',
      `-artifact_prefix=${folder}/`,
      ...limits,
      folder,
      join(corpora, target),
    ],
    {env: {WHERRY_FUZZ_TARGET: target}, onLine: line => lines.push(line)},
  ).then(
    () => undefined,
    (error: unknown) => String(error),
  );
  const {executions, coverage: edges, added, failedBy} = readFuzzOutput(lines);
  console.log(`${ended === undefined ? '✓' : '✗'} ${target}: ${executions} runs, ${edges} edges, ${added} new inputs`);
  if (ended === undefined) return undefined;
  console.log(ended);
  return `${target}: ${failedBy ?? 'it ended without an input'}`;
}
