import {join} from 'node:path';
import {run} from '../scripts/core/command.ts';
import {repository} from '../scripts/core/paths.ts';
import type {Progress} from '../scripts/core/progress.ts';

/** With a target named, the flags reach only what is built for it, not the compiler's own plug-ins. */
const target = 'x86_64-unknown-linux-gnu';

/** By their paths. They run in an image without a C library. */
export interface StaticPrograms {
  readonly launcher: string;
  readonly vmm: string;
}

/** The programs of a VM pod, built at the same time. Cargo sees by itself whether there is anything to do. */
export async function staticPrograms(progress: Progress): Promise<StaticPrograms> {
  const built = await build(progress, repository, ['wherry-launcher', 'wherry-vmm']);
  return {launcher: join(built, 'wherry-launcher'), vmm: join(built, 'wherry-vmm')};
}

/** The launcher of another workspace. */
export async function staticLauncher(progress: Progress, source: string): Promise<string> {
  return join(await build(progress, source, ['wherry-launcher']), 'wherry-launcher');
}

/** Returns the folder with the programs. */
async function build(progress: Progress, source: string, names: readonly string[]): Promise<string> {
  // Not shared with other checkouts: Cargo takes what another one has built later for this one's.
  const targetFolder = join(source, 'target/static');
  const packages = names.flatMap(name => ['--package', name]);
  const options = ['--release', '--locked', '--target', target, '--target-dir', targetFolder, ...packages];
  await progress.step(`build ${names.join(' and ')}, static`, say =>
    run('nice', ['cargo', 'build', ...options], {
      cwd: source,
      env: {RUSTFLAGS: '-C target-feature=+crt-static'},
      onLine: say,
    }),
  );
  return join(targetFolder, target, 'release');
}
