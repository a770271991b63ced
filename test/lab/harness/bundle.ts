/** Programs for a lab node as one file each: to strip the types of its sources takes Node.js seconds there. */
import {join} from 'node:path';
import {run} from '../../../scripts/core/command.ts';
import {repository} from '../../../scripts/core/paths.ts';

/** Loaded from files at run time: the one is an addon, the other knows kubeconfig files, which nobody has there. */
const external = ['koffi', '@kubernetes/client-node'];
/** CommonJS dependencies call `require`, which an ES module does not have. */
const banner =
  "import {createRequire as __createRequire} from 'node:module'; const require = __createRequire(import.meta.url);";

/**
 * By esbuild's program, for its library does not work in the world that Jest makes.
 * @param entry path of the main module
 */
export const bundle = (entry: string, to: string): Promise<string> =>
  run(join(repository, 'node_modules/.bin/esbuild'), [
    entry,
    `--outfile=${to}`,
    '--bundle',
    '--platform=node',
    '--format=esm',
    '--target=node24',
    '--keep-names',
    '--log-level=warning',
    ...external.map(name => `--external:${name}`),
    `--banner:js=${banner}`,
  ]);

/** koffi, to lie beside a program that loads it. */
export const koffiFiles = (folder: string): Record<string, string> =>
  Object.fromEntries(
    ['koffi', '@koromix/koffi-linux-x64'].map(name => [
      `${folder}/node_modules/${name}`,
      join(repository, 'node_modules', name),
    ]),
  );
