import {run} from '../core/command.ts';
import {repository} from '../core/paths.ts';
import {readCargoOutput} from './cargo-report.ts';
import {underMiri} from './miri.ts';
import type {Suite} from './suite.ts';

export const rustSuite: Suite = {
  name: 'rust',
  async run() {
    const lines: string[] = [];
    const onLine = (line: string): void => {
      lines.push(line);
      console.log(line);
    };
    const exitedWell = await run('cargo', ['test', '--workspace', '--no-fail-fast'], {cwd: repository, onLine}).then(
      () => true,
      () => false,
    );
    const tests = readCargoOutput(lines, exitedWell);
    const again = await underMiri(line => console.log(line));
    return {
      passed: tests.passed + again.passed,
      failed: [...tests.failed, ...again.failed],
      skipped: [...tests.skipped, ...again.skipped],
    };
  },
};
