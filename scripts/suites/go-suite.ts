import {run} from '../core/command.ts';
import {goEnv, goFlags, goModule} from '../toolchain/go-build.ts';
import {readGoOutput} from './go-report.ts';
import type {Suite} from './suite.ts';

/** Our own Go code: the pod network of nodes made here. */
export const goSuite: Suite = {
  name: 'go',
  async run() {
    const lines: string[] = [];
    // With the flags of the real build, which then finds these packages compiled.
    const args = ['test', '-json', '-vet=off', ...goFlags, './kindnetd'];
    const onLine = (line: string): void => void lines.push(line);
    const ended = await run('go', args, {cwd: goModule, env: goEnv, onLine}).catch((error: unknown) => String(error));
    const result = readGoOutput(lines);
    if (result.failed.length > 0) console.log(ended);
    if (result.passed + result.failed.length === 0) return {...result, failed: [ended]};
    return result;
  },
};
