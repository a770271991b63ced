import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {tinyVm} from '../../../support/guests.ts';
import {run as command} from '../../../support/kubectl.ts';
import type {Vmi} from '../../../e2e/cluster.ts';
import {eventually} from '../../../support/eventually.ts';
import {enginePids, onNode, startApiServer, stopApiServer} from '../support/nodes.ts';
import {figure, type Run, Stage} from '../support/stage.ts';

jest.setTimeout(400_000);

/** Longer than any lease, watch or back-off of ours. */
const OUTAGE_MS = 120_000;

let stage: Stage;
let runs: readonly Run[];
beforeAll(async () => {
  stage = await Stage.open('services');
  const names = ['left', 'right'];
  for (const [index, name] of names.entries()) await stage.keeper(name, {node: stage.node(index)});
  runs = await Promise.all(names.map(name => stage.connect(name)));
});
afterAll(async () => {
  if (stage !== undefined) await startApiServer(stage.controlPlane);
  await stage?.close();
});

const undisturbed = async (what: string): Promise<void> => {
  await Promise.all(runs.map(run => stage.statusIsRight(run, what)));
  await Promise.all(runs.map(run => stage.livesOn(run)));
};

const restart = (service: string): Promise<unknown> =>
  Promise.all(stage.cluster.env.nodes.map(node => onNode(node, 'systemctl', 'restart', service)));

/** As pods do, by the address of the Service `kubernetes`. */
const reachesService = ['curl', '-sk', '--fail', '--max-time', '2', 'https://10.96.0.1/readyz'];

const nodesReady = (): Promise<string> =>
  stage.system.run('wait', 'nodes', '--all', '--for=condition=Ready', '--timeout=60s');

test('a restart of the kubelet disturbs no guest', async () => {
  await restart('kubelet');
  await nodesReady();
  await undisturbed('the restart of the kubelet');
});

test('a restart of containerd disturbs no guest, nor its console', async () => {
  await restart('containerd');
  await nodesReady();
  await undisturbed('the restart of containerd');
  const console = await stage.cluster.console('left');
  console.type('\n');
  expect(await console.shell('echo $((40 + 2))')).toMatch(/^42$/m);
  console.close();
});

test('while the API server is down guests run on, and what became of them is right when it is back', async () => {
  const {cluster} = stage;
  const ends = {
    poweroff: 'sleep 30; poweroff',
    panic: 'sleep 30; echo c >/proc/sysrq-trigger',
    orderly: 'sleep 30; poweroff',
  };
  const before = new Map<string, Vmi>();
  for (const name of Object.keys(ends)) {
    const runStrategy = name === 'orderly' ? 'RerunOnFailure' : 'Always';
    await cluster.kubectl.apply(tinyVm(name, cluster.env.images.tiny, {runStrategy}));
  }
  for (const [name, command] of Object.entries(ends)) {
    before.set(name, await cluster.running(name));
    await cluster.booted(name, /login:/);
    const console = await cluster.console(name);
    console.type('\n');
    await console.expect(/[#$] |login:/);
    console.type(`(${command}) &\n`);
    await sleep(500);
    console.close();
  }
  await stopApiServer(stage.controlPlane);
  const down = performance.now();
  const engines = async (name: string): Promise<number> => {
    const pids = await Promise.all(cluster.env.nodes.map(node => enginePids(node, stage.machine(name))));
    return pids.flat().length;
  };
  await eventually(async () => {
    for (const name of Object.keys(ends)) expect(await engines(name)).toBe(0);
  });
  await sleep(Math.max(0, OUTAGE_MS - (performance.now() - down)));
  for (const run of runs) expect(stage.stream(run.name).broken).toBeUndefined();
  const asked = performance.now();
  await startApiServer(stage.controlPlane);
  const back = performance.now();
  figure('the API server took for its own start', back - asked);
  // kube-proxy has dropped the Service's endpoint, and learns by a watch of its own, with its own back-off, that it is back.
  for (const node of cluster.env.nodes) await eventually(() => onNode(node, ...reachesService), {timeoutMs: 90_000});
  figure('kube-proxy of all nodes led to it again after', performance.now() - back);

  await undisturbed('the API server was back');
  for (const name of ['poweroff', 'panic'])
    await eventually(
      async () => {
        const vmi = await cluster.vmi(name);
        expect(vmi.metadata.uid).not.toBe(before.get(name)?.metadata.uid);
        expect(vmi.status?.phase).toBe('Running');
      },
      {timeoutMs: 60_000},
    );
  figure('poweroff, panic: Running again after the API server was back', performance.now() - back);
  await cluster.status('orderly', 'Stopped');
  const doing = await cluster.kubectl.run('get', 'events', '--field-selector', 'involvedObject.name=panic');
  expect(doing).toMatch(/Warning\s+GuestPanicked/);
  expect(stage.engines.doubled).toEqual([]);
});

test('a node that restarts loses its guests, which run again with all that was flushed', async () => {
  const [other, lost] = runs as [Run, Run];
  const began = performance.now();
  // No time to shut anything down.
  await command('docker', ['kill', '--signal=KILL', lost.node]);
  await command('docker', ['start', lost.node]);
  figure('the restart of the node', performance.now() - began);
  await stage.runsAgain(lost, 'the loss of its node', began, 180_000);
  await stage.livesOn(other);
  expect(stage.engines.doubled).toEqual([]);
});
