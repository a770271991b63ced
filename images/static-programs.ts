import {join} from 'node:path';
import {run} from '../scripts/core/command.ts';
import {repository} from '../scripts/core/paths.ts';
import type {Progress} from '../scripts/core/progress.ts';

/** With a target named, the flags reach only what is built for it, not the compiler's own plug-ins. */
const target = 'x86_64-unknown-linux-gnu';

export interface StaticProgramOptions {
  /** Where the workspace lies. Defaults to this one. */
  readonly source?: string;
}

/**
 * Builds a package of the Cargo workspace as a static program, which runs in an image without a C library.
 * @returns the program's path. Cargo sees by itself whether there is anything to do.
 */
export async function staticProgram(
  progress: Progress,
  name: string,
  {source = repository}: StaticProgramOptions = {},
): Promise<string> {
  // Not shared with other checkouts: Cargo takes what another one has built later for this one's.
  const targetFolder = join(source, 'target/static');
  const options = ['--release', '--locked', '--target', target, '--target-dir', targetFolder, '--package', name];
  await progress.step(`build ${name} as a static program`, say =>
    run('nice', ['cargo', 'build', ...options], {
      cwd: source,
      env: {RUSTFLAGS: '-C target-feature=+crt-static'},
      onLine: say,
    }),
  );
  return join(targetFolder, target, 'release', name);
}
