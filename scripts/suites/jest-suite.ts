import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {repository} from '../core/paths.ts';
import {type JestReport, readJestReport} from './jest-report.ts';
import type {Suite} from './suite.ts';

export interface JestSuiteOptions {
  /** Name of the project in jest.config.js. */
  project: string;
  /** Arguments of Jest beside those that every suite has. */
  args?: readonly string[];
  /** What must be there first. */
  prepare?: () => Promise<unknown>;
  /** It runs beside the suite before it. */
  beside?: boolean;
}

/** A suite that Jest runs, with its own output as it goes. */
export function jestSuite({project, args = [], prepare, beside = false}: JestSuiteOptions): Suite {
  return {
    name: project,
    beside,
    async run() {
      await prepare?.();
      const folder = await mkdtemp(join(tmpdir(), 'wherry-jest-'));
      const output = join(folder, 'report.json');
      try {
        const status = await jest(['--selectProjects', project, '--json', `--outputFile=${output}`, ...args]);
        const report = await readFile(output, 'utf8').catch(() => undefined);
        if (report === undefined) return {passed: 0, failed: [`jest ended with status ${status}`], skipped: []};
        return readJestReport(JSON.parse(report) as JestReport);
      } finally {
        await rm(folder, {recursive: true, force: true});
      }
    },
  };
}

/** In bytes, of each process: a test that runs away fails, and does not take the machine with it. */
const dataLimit = 6 * 1024 ** 3;

/** Its stdout is the report once more, which nobody wants to read; what it tells people goes to stderr. */
async function jest(args: readonly string[]): Promise<number | null> {
  const bin = join(repository, 'node_modules/jest/bin/jest.js');
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', bin, '--ci', '--passWithNoTests'];
  const child = spawn('prlimit', [`--data=${dataLimit}`, process.execPath, ...node, ...args], {
    cwd: repository,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [status] = (await once(child, 'exit')) as [number | null];
  return status;
}
