import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {readFileSync} from 'node:fs';
import {nothingLeft} from '../../../e2e/traces.ts';
import {faultsEnvironmentFile} from '../../../e2e/environment.ts';
import {eventually} from '../../../support/eventually.ts';
import type {E2eEnvironment} from '../../../support/guests.ts';
import {run as command} from '../../../support/kubectl.ts';
import {enginePids, onNode} from '../support/nodes.ts';
import {component, conditionOf, type Run, Stage} from '../support/stage.ts';

jest.setTimeout(240_000);

const {images} = JSON.parse(readFileSync(faultsEnvironmentFile, 'utf8')) as E2eEnvironment;
const built = images.launcherBefore !== undefined;
const needs = built ? '' : ' (needs the history of this repository back to the protocol version before)';
const testBuilt = built ? test : test.skip;

let stage: Stage;
beforeAll(async () => {
  if (!built) return;
  stage = await Stage.open('before');
  await helm('--set', `images.launcher=${images.launcherBefore}`);
  await freshOperators();
  await stage.keeper('old', {graceSeconds: 10});
  await stage.connect('old');
  expect(await imageOf((await stage.cluster.pod('old')).metadata.name)).toBe(images.launcherBefore);
  await helm();
  await freshOperators();
  await stage.keeper('new');
});
afterAll(() => stage?.close());

const helm = (...changes: string[]): Promise<string> => {
  const {helm: program, helmArguments, kubeconfig} = stage.cluster.env;
  return command(program, [...helmArguments, ...changes], '', {...process.env, KUBECONFIG: kubeconfig});
};

/** New operators have the configuration as it is now: the kubelet takes up to two minutes to show it to those that run. */
const freshOperators = async (): Promise<void> => {
  await stage.system.run('delete', 'pods', '-l', component('operator'), '--wait=true');
  await stage.system.run('rollout', 'status', 'deployment/wherry-operator', '--timeout=90s');
};

const imageOf = (pod: string): Promise<string> =>
  stage.cluster.kubectl.run('get', 'pod', pod, '-o', 'jsonpath={.spec.containers[0].image}');

testBuilt(`a daemon drives guests of launchers of this and of the version before${needs}`, async () => {
  const runs = [await stage.connect('old'), await stage.connect('new')];
  expect(await imageOf(runs[0]!.pod.metadata.name)).toBe(images.launcherBefore);
  expect(await imageOf(runs[1]!.pod.metadata.name)).toBe(images.launcher);
  for (const node of stage.cluster.env.nodes) {
    const pod = await stage.daemonOn(node);
    await stage.system.run('delete', 'pod', pod.metadata.name, '--grace-period=0', '--force');
    await stage.daemonOn(node, pod.metadata.uid);
  }
  for (const run of runs) {
    await stage.statusIsRight(run, 'the node-daemon was replaced');
    await stage.livesOn(run);
  }
});

testBuilt(`a guest of a launcher of the version before is paused, resumed and looked into${needs}`, async () => {
  const run = await stage.connect('old');
  const pause = (value: string): Promise<string> =>
    stage.cluster.kubectl.run('annotate', 'vmi', 'old', `wherry.dev/paused=${value}`, '--overwrite');
  await pause('true');
  await stage.cluster.status('old', 'Paused');
  await pause('false');
  await stage.cluster.status('old', 'Running');
  await stage.livesOn(run);
  const console = await stage.cluster.console('old');
  console.type('\n');
  expect(await console.shell('echo $((40 + 2))')).toMatch(/^42$/m);
  console.close();
});

const endOfEngine = async (run: Run): Promise<void> => {
  const [pid] = await enginePids(run.node, stage.machine(run.name));
  await onNode(run.node, 'kill', '-9', String(pid));
};

testBuilt(
  `how a guest of a launcher of the version before ended is known, and it moves to the new one${needs}`,
  async () => {
    const run = await stage.connect('old');
    const began = performance.now();
    await endOfEngine(run);
    const again = await stage.runsAgain(run, 'kill -9 of QEMU under the launcher of before', began);
    expect(await imageOf(again.pod.metadata.name)).toBe(images.launcher);
    await nothingLeft(stage.cluster, {...run, name: 'nobody'});
    await eventually(async () => expect(conditionOf(await stage.cluster.vmi('old'), 'Ready')?.status).toBe('True'));
  },
);
