import {join} from 'node:path';
import {build} from 'esbuild';
import {repository} from '../../scripts/core/paths.ts';

/** A program that runs on Node.js, by its folder in the repository. */
export type Program = 'operator' | 'node-daemon';

/** Its entry points, files in `<program>/src`. */
const entries: Readonly<Record<Program, readonly string[]>> = {operator: ['main', 'hook'], 'node-daemon': ['main']};

/** What is loaded from files at run time: koffi is a native addon. */
export const external: readonly string[] = ['koffi'];

/**
 * Bundles `<program>/src/main.ts` and its other entries with all they import to `main.js` and so on. Names are kept and nothing is minified, so that a
 * stack trace of a running pod can be read. What is imported only in some cases (client-node, for kubeconfig files)
 * goes to files of its own, which a pod never loads: it would cost 150 MB.
 */
export async function bundle(program: Program, folder: string): Promise<void> {
  await build({
    absWorkingDir: repository,
    entryPoints: Object.fromEntries(entries[program].map(entry => [entry, join(program, 'src', `${entry}.ts`)])),
    outdir: folder,
    splitting: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    keepNames: true,
    external: [...external],
    logLevel: 'warning',
    // CommonJS dependencies call `require`, which an ES module does not have.
    banner: {
      js: "import {createRequire as __createRequire} from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
}
