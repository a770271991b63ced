import {run} from '../../scripts/core/command.ts';
import {repository} from '../../scripts/core/paths.ts';
import type {Progress} from '../../scripts/core/progress.ts';

const packages = ['wherry-ffi', 'wherry-selftest', 'wherry-netns'];

/** Builds what the node-daemon loads and starts, in `target/release`. Always these together: Cargo builds anew what others are built with. */
export async function buildNative(progress: Progress): Promise<void> {
  await progress.step('build the native library and helpers', say =>
    run('cargo', ['build', '--release', ...packages.flatMap(name => ['--package', name])], {
      cwd: repository,
      onLine: say,
    }),
  );
}
