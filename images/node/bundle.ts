import {join} from 'node:path';
import {build} from 'esbuild';
import {repository} from '../../scripts/core/paths.ts';

/** A program that runs on Node.js, by its folder in the repository. */
export type Program = 'operator' | 'node-daemon';

/** What is loaded from files at run time: koffi is a native addon. */
export const external: readonly string[] = ['koffi'];

/**
 * Bundles `<program>/src/main.ts` with all it imports to `main.js` and its source map. Names are kept and nothing is
 * minified, so that a stack trace of a running pod can be read.
 */
export async function bundle(program: Program, folder: string): Promise<void> {
  await build({
    absWorkingDir: repository,
    entryPoints: [join(program, 'src/main.ts')],
    outfile: join(folder, 'main.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    sourcemap: 'linked',
    keepNames: true,
    external: [...external],
    logLevel: 'warning',
    // CommonJS dependencies call `require`, which an ES module does not have.
    banner: {
      js: "import {createRequire as __createRequire} from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
}
