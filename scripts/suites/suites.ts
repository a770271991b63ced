import {buildNative} from '../../images/node/native.ts';
import {clusterDown} from '../cluster/cluster.ts';
import type {Progress} from '../core/progress.ts';
import {tools} from '../toolchain/tools.ts';
import {virtctl} from '../toolchain/virtctl.ts';
import {checkSuite} from './checks.ts';
import {fuzzSuite} from './fuzz-suite.ts';
import {goSuite} from './go-suite.ts';
import {jestSuite} from './jest-suite.ts';
import {rustSuite} from './rust-suite.ts';
import type {Suite} from './suite.ts';

/** All tiers, the quickest to fail first. */
export function suites(progress: Progress): Suite[] {
  let deployed: Promise<void> | undefined;
  const deployOnce = (): Promise<void> => (deployed ??= deployForE2e(progress));
  return [
    checkSuite,
    // The binding's tests call the real library.
    jestSuite({project: 'unit', args: ['--maxWorkers=2'], prepare: () => buildNative(progress)}),
    rustSuite,
    goSuite,
    jestSuite({
      project: 'integration',
      args: ['--verbose', '--testTimeout=60000', '--maxWorkers=2'],
      // One after the other: each takes all the CPU there is.
      prepare: () => tools(progress).then(() => virtctl(progress)),
    }),
    // One file at a time: two kept both CPUs busy with emulated guests, and took longer in all.
    jestSuite({
      project: 'e2e',
      args: ['--verbose', '--testTimeout=600000', '--runInBand'],
      prepare: deployOnce,
    }),
    // These change Wherry itself, or a node, under whatever runs.
    jestSuite({
      project: 'e2e-system',
      args: ['--verbose', '--testTimeout=600000', '--runInBand'],
      prepare: deployOnce,
    }),
    // One file at a time leaves a core free.
    jestSuite({
      project: 'lab-boot',
      beside: true,
      args: ['--verbose', '--testTimeout=600000', '--runInBand'],
    }),
  ];
}

/** What needs a KVM: it is had by emulation of a whole machine, one for each core that there is at least. */
export function labSuites(progress: Progress): Suite[] {
  return [
    jestSuite({
      project: 'lab',
      args: ['--verbose', '--testTimeout=600000', '--maxWorkers=2', '--testSequencer=./test/lab/harness/in-order.ts'],
      prepare: () => prepareLab(progress),
    }),
  ];
}

/** The slow proofs. */
export function longSuites(progress: Progress): Suite[] {
  return [
    jestSuite({
      project: 'soak',
      args: ['--verbose', '--testTimeout=600000', '--maxWorkers=2'],
      prepare: () => tools(progress).then(() => buildNative(progress)),
    }),
    // Each harms its own guests only.
    jestSuite({
      project: 'guest-faults',
      beside: true,
      args: ['--verbose', '--testTimeout=600000', '--maxWorkers=2'],
      prepare: () => deployForFaults(progress),
    }),
    // These harm whatever runs on a node.
    jestSuite({
      project: 'node-faults',
      args: ['--verbose', '--testTimeout=600000', '--runInBand'],
      prepare: () => deployForFaults(progress),
    }),
    // Most of those wait for Kubernetes; it takes the CPU that they leave, which is more than half of it.
    fuzzSuite(progress, {seconds: 45, beside: true}),
  ];
}

/** Once, and not by the first two files at the same time. */
async function prepareLab(progress: Progress): Promise<void> {
  const {default: setUp} = await import('../../test/lab/harness/set-up.ts');
  await Promise.all([buildNative(progress), setUp(progress)]);
}

async function deployForFaults(progress: Progress): Promise<void> {
  const {default: setUp} = await import('../../test/long/faults/support/set-up.ts');
  await setUp(progress);
}

/** A cluster with Wherry on it; in CI one that no earlier run has used. Not Jest's globalSetup, which cannot load modules as Node.js itself does. */
async function deployForE2e(progress: Progress): Promise<void> {
  const {default: setUp} = await import('../../test/e2e/global-setup.ts');
  if (process.env['CI'] === 'true') await clusterDown(progress);
  await setUp(progress);
}
