import {run} from '../core/command.ts';
import {repository} from '../core/paths.ts';
import {readCargoOutput} from './cargo-report.ts';
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
    return readCargoOutput(lines, exitedWell);
  },
};
