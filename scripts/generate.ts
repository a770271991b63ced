/**
 * Writes every generated file: `npm run generate`. With `--check` it writes nothing and fails when a file is not as its
 * source says. With `--examples` it also asks a real kube-apiserver what becomes of KubeVirt's example manifests and of
 * virtctl, which the integration tests check.
 */
import {cpuTable} from '../node-daemon/scripts/cpu-table.ts';
import {qmpTypes} from '../node-daemon/scripts/qmp-types.ts';
import {repository} from './core/paths.ts';
import {policies} from './generate/annotation-policy.ts';
import {readme} from './generate/coverage.ts';
import {crds} from './generate/crds.ts';
import {differences, write} from './generate/files.ts';
import type {Generator} from './generate/generator.ts';
import {reference} from './generate/reference.ts';
import {values} from './generate/values.ts';

/** Everything that is generated, in order. */
const generators: Generator[] = [cpuTable, crds, policies, reference, values, readme, qmpTypes];

const check = process.argv.includes('--check');
if (process.argv.includes('--examples')) {
  const {examples} = await import('../test/support/examples/generator.ts');
  generators.push(examples);
}

let stale = 0;
for (const generator of generators) {
  const changes = await (check ? differences : write)(repository, generator);
  stale += changes.length;
  for (const {path, state} of changes) {
    console.log(check ? `${path} is ${state}` : `${path}: ${state === 'left over' ? 'removed' : 'written'}`);
  }
}
if (check && stale > 0) {
  console.error('Generated files are not as their sources say: run `npm run generate` and commit the result.');
  process.exitCode = 1;
}
