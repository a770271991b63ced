import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import type {Pod} from '../../../e2e/cluster.ts';
import {eventually} from '../../../support/eventually.ts';
import {run as command} from '../../../support/kubectl.ts';
import {containerPid, onNode} from '../support/nodes.ts';
import {component, figure, type Run, Stage} from '../support/stage.ts';

jest.setTimeout(240_000);

let stage: Stage;
let runs: readonly Run[];
beforeAll(async () => {
  stage = await Stage.open('software');
  const names = ['left', 'right'];
  for (const [index, name] of names.entries()) await stage.keeper(name, {node: stage.node(index)});
  runs = await Promise.all(names.map(name => stage.connect(name)));
});
afterAll(() => stage?.close());

const undisturbed = async (what: string): Promise<void> => {
  await Promise.all(runs.map(run => stage.statusIsRight(run, what)));
  await Promise.all(runs.map(run => stage.livesOn(run)));
};

const onBoth = (fault: (node: string) => Promise<void>): Promise<unknown> =>
  Promise.all(stage.cluster.env.nodes.map(fault));

test('kill -9 of every node-daemon process disturbs no guest', async () => {
  await onBoth(async node => {
    const pod = await stage.daemonOn(node);
    const pid = await containerPid(node, 'node-daemon', pod.metadata.uid);
    await onNode(node, 'kill', '-9', String(pid));
    await eventually(async () => {
      expect(await containerPid(node, 'node-daemon', pod.metadata.uid)).not.toBe(pid);
    });
    await stage.daemonOn(node);
  });
  await undisturbed('kill -9 of the node-daemon');
});

test('node-daemon pods that are deleted by force disturb no guest', async () => {
  await onBoth(async node => {
    const pod = await stage.daemonOn(node);
    await stage.system.run('delete', 'pod', pod.metadata.name, '--grace-period=0', '--force');
    await stage.daemonOn(node, pod.metadata.uid);
  });
  await undisturbed('force-deletion of the node-daemon');
});

const imagePath = '{.spec.template.spec.containers[0].image}';

/** Helm returns when all daemons are ready. */
const rollOut = (...changes: string[]): Promise<string> => {
  const {helm, helmArguments, kubeconfig} = stage.cluster.env;
  return command(helm, [...helmArguments, ...changes], '', {...process.env, KUBECONFIG: kubeconfig});
};

test('the roll-out of another image of the node-daemon disturbs no guest', async () => {
  const image = await stage.system.run('get', 'daemonset', 'wherry-node-daemon', '-o', `jsonpath=${imagePath}`);
  const other = `${image.split(':')[0]}:another-version`;
  await onBoth(async node => {
    await onNode(node, 'ctr', '-n', 'k8s.io', 'images', 'tag', '--force', `docker.io/${image}`, `docker.io/${other}`);
  });
  const began = performance.now();
  await rollOut('--set', `images.nodeDaemon=${other}`);
  figure('the roll-out over two nodes', performance.now() - began);
  await undisturbed('the roll-out');
  await rollOut();
  await undisturbed('the roll-back');
});

const operators = async (): Promise<readonly Pod[]> => {
  const pods = await stage.cluster.podsWith(component('operator'), stage.system.namespace);
  return pods.filter(pod => pod.spec.nodeName !== undefined && pod.metadata.deletionTimestamp === undefined);
};

const killOperator = async ({metadata, spec}: Pod): Promise<void> => {
  const node = spec.nodeName ?? '';
  await onNode(node, 'kill', '-9', String(await containerPid(node, 'operator', metadata.uid)));
};

/** What was asked of a machine while nobody may have been there to hear it is noticed, and taken back again. */
const obeys = async (what: string): Promise<void> => {
  const began = performance.now();
  for (const [memory, wanted] of [
    ['129Mi', 'True'],
    ['128Mi', undefined],
  ]) {
    const domain = {memory: {guest: memory}};
    await stage.cluster.kubectl.mergePatch('vm/left', {spec: {template: {spec: {domain}}}});
    await eventually(async () => {
      const {status} = await stage.cluster.vm('left');
      expect(status?.conditions?.find(({type}) => type === 'RestartRequired')?.status).toBe(wanted);
    });
  }
  figure(`left: a change is noticed after ${what}`, performance.now() - began);
};

test('kill -9 of the leading operator disturbs no guest, and another one obeys', async () => {
  const holder = await stage.system.run('get', 'lease', 'wherry-operator', '-o', 'jsonpath={.spec.holderIdentity}');
  const leader = (await operators()).find(pod => holder.startsWith(pod.metadata.name));
  expect(leader).toBeDefined();
  await killOperator(leader!);
  await obeys('kill -9 of the leading operator');
  await undisturbed('kill -9 of the leading operator');
});

test('kill -9 of all operators disturbs no guest, and they obey when they are back', async () => {
  const all = await operators();
  expect(all.length).toBeGreaterThan(1);
  await Promise.all(all.map(killOperator));
  await obeys('kill -9 of all operators');
  await undisturbed('kill -9 of all operators');
});

test('peers of the launcher that vanish, or hang and do not read, disturb no guest', async () => {
  const consoles = await Promise.all(runs.map(run => stage.cluster.console(run.name)));
  for (const console of consoles) {
    console.type('\n');
    await console.expect(/[#$] |login:/);
    // More than any buffer on the way holds.
    console.type('seq 100000 &\n');
  }
  const pids = await Promise.all(
    runs.map(async ({node}) => containerPid(node, 'node-daemon', (await stage.daemonOn(node)).metadata.uid)),
  );
  const signal = (name: string): Promise<unknown> =>
    Promise.all(runs.map(({node}, index) => onNode(node, 'kill', `-${name}`, String(pids[index]))));
  await signal('STOP');
  for (const console of consoles) console.kill();
  await sleep(5000);
  await signal('CONT');
  await undisturbed('the end of its consoles and a pause of the node-daemon');
  const again = await stage.cluster.console('left');
  again.type('\n');
  // What the first lines of an attachment bring may stand before it.
  expect(await again.shell('echo $((40 + 2))')).toMatch(/^42$/m);
  again.close();
});
