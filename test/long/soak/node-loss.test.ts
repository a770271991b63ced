/** Every way in which a node is lost, fenced and found again, at the same time: most of it is waiting. */
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import type {RunStrategy} from '@wherry/api';
import type {Pod} from '@wherry/kube';
import type {Instance} from '@wherry/operator';
import {LEASE_MS} from '../../integration/operator/fake-daemon.ts';
import {readyOf, TestNode} from '../../integration/operator/lost-node.ts';
import {Stage} from '../../integration/operator/stage.ts';
import {Theatre} from '../../integration/operator/theatre.ts';

jest.setTimeout(180_000);

const YEAR_MS = 365 * 24 * 3600 * 1000;
const pauseMs = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

let theatre: Theatre;
let on: Stage;
const nodes: TestNode[] = [];
const join = async (name: string, skewMs = 0): Promise<TestNode> => {
  const node = await TestNode.join(theatre, name, {skewMs});
  nodes.push(node);
  return node;
};
/** Where guests go that run again. Most nodes are well, or their silence would be taken for a partition. */
const well: TestNode[] = [];
beforeAll(async () => {
  theatre = await Theatre.open();
  for (let index = 0; index < 12; index += 1) well.push(await join(`well-${index}`));
  await theatre.startOperator('one');
  on = await Stage.open(theatre.client, 'nodes');
}, 120_000);
afterAll(async () => {
  await Promise.all(nodes.map(({daemon}) => daemon.stop()));
  await theatre?.close();
}, 30_000);

const eachOf = <T>(all: readonly T[], act: (one: T) => Promise<void>): Promise<unknown> => Promise.all(all.map(act));
const podOf = async (vmi: Instance): Promise<Pod> => {
  const pods = await on.pods();
  const pod = pods.find(({metadata}) => metadata.uid !== undefined && metadata.uid in (vmi.status?.activePods ?? {}));
  if (pod === undefined) throw new Error('the run has no pod');
  return pod;
};

const strategies: readonly RunStrategy[] = ['Always', 'RerunOnFailure', 'Manual', 'Once', 'Halted'];

test('each run strategy does what it says when the node of its run was lost and fenced', async () => {
  const node = await join('strategies');
  const started = new Map<string, string>();
  await eachOf(strategies, async strategy => {
    const name = strategy.toLowerCase();
    const first = strategy === 'Manual' ? 'Always' : strategy === 'Halted' ? 'Always' : strategy;
    started.set(name, (await node.hosts(on, name, {runStrategy: first})).metadata.uid);
    if (first !== strategy && strategy === 'Manual') await on.setRunStrategy(name, strategy);
  });
  await node.lose();
  await eachOf(strategies, async strategy => void (await on.phase(strategy.toLowerCase(), 'Unknown')));
  await on.setRunStrategy('halted', 'Halted');
  await pauseMs(1000);
  expect(on.podsSeen.size).toBe(strategies.length);
  await node.taint();
  await eachOf(['always', 'rerunonfailure'], name => well[0]!.runs(on, name, started.get(name)));
  await eachOf(['manual', 'once'], async name => {
    const vmi = await on.phase(name, 'Failed');
    expect(vmi).toMatchObject({metadata: {uid: started.get(name)}, status: {reason: 'NodeUnresponsive'}});
  });
  await on.status('halted', 'Stopped');
  expect(await on.vmi('halted')).toBeUndefined();
  await on.ask('manual', {action: 'Start'});
  await well[0]!.runs(on, 'manual', started.get('manual'));
});

const fences: [sentence: string, name: string, fence: (node: TestNode, pod: Pod, vm: string) => Promise<void>][] = [
  ['the taint out-of-service', 'by-taint', node => node.taint()],
  ['the end of the Node object', 'by-node', node => node.delete()],
  ['the exit code of the container', 'by-code', async (_node, pod) => on.exit(pod, 31)],
  [
    'the word of the daemon, when the pod is gone',
    'by-word',
    async (_node, pod, vm) => {
      await on.remove(pod);
      await on.engineIsGone(vm);
    },
  ],
];

test('a run is over by each of the proofs, and by nothing less', async () => {
  await eachOf(fences, async ([, name, fence]) => {
    const node = await join(name);
    const {metadata} = await node.hosts(on, name);
    await node.lose();
    const vmi = await on.phase(name, 'Unknown');
    const pod = await podOf(vmi);
    await pauseMs(2000);
    expect((await on.vmi(name))?.metadata.uid).toBe(metadata.uid);
    await fence(node, pod, name);
    await on.until('the run is over', async () => (await on.vmi(name))?.metadata.uid !== metadata.uid || undefined);
  });
});

test('a pod that is deleted by force on a lost node proves nothing', async () => {
  const node = await join('forced');
  const {metadata} = await node.hosts(on, 'forced');
  await node.lose();
  const vmi = await on.phase('forced', 'Unknown');
  await on.remove(await podOf(vmi));
  await pauseMs(2 * LEASE_MS);
  expect((await on.vmi('forced'))?.metadata.uid).toBe(metadata.uid);
  expect(readyOf(await on.vmi('forced'))?.reason).toBe('NodeUnresponsive');
});

test('a taint on a node whose daemon answers, or whose kubelet reports, ends nothing', async () => {
  const [alive, ready] = [await join('cut-kubelet'), await join('mistaken')];
  const runs = [await alive.hosts(on, 'alive'), await ready.hosts(on, 'ready')];
  await theatre.kubeletIs(alive.name, 'Unknown');
  await alive.taint();
  await ready.daemon.stop();
  await ready.taint();
  await pauseMs(2 * LEASE_MS);
  expect((await on.vmi('alive'))?.metadata.uid).toBe(runs[0]?.metadata.uid);
  expect((await on.vmi('ready'))?.metadata.uid).toBe(runs[1]?.metadata.uid);
  expect((await on.vmi('ready'))?.status?.phase).toBe('Running');
  // And then the machine is really switched off.
  await alive.daemon.stop();
  await on.until(
    'the run is over',
    async () => (await on.vmi('alive'))?.metadata.uid !== runs[0]?.metadata.uid || undefined,
  );
});

test('a node that comes back before it is fenced keeps its guest, and its daemon says that it runs', async () => {
  const node = await join('returning');
  const {metadata} = await node.hosts(on, 'returning');
  await node.lose();
  await on.phase('returning', 'Unknown');
  await node.comeBack();
  await node.daemon.reportRunning(on, 'returning');
  const vm = await on.status('returning', 'Running');
  expect(vm.metadata.uid).toBeDefined();
  await on.until('it is ready', async () => readyOf(await on.vmi('returning'))?.reason === 'GuestRunning');
  await on.until('guests are sent there again', async () => (await node.label()) === 'true');
  await new Promise(resolve => setTimeout(resolve, LEASE_MS));
  expect(await on.vmi('returning')).toMatchObject({metadata: {uid: metadata.uid}, status: {phase: 'Running'}});
  expect((await podOf((await on.vmi('returning'))!)).metadata.deletionTimestamp).toBeUndefined();
});

test('a daemon that is restarted within its Lease changes nothing', async () => {
  const node = await join('upgraded');
  const {metadata} = await node.hosts(on, 'upgraded');
  await on.until('its machine is ready', async () => readyOf(await on.vm('upgraded'))?.reason === 'GuestRunning');
  const version = (await on.vmi('upgraded'))?.metadata.resourceVersion;
  await node.daemon.stop();
  await new Promise(resolve => setTimeout(resolve, LEASE_MS - 1500));
  await node.daemon.start();
  await new Promise(resolve => setTimeout(resolve, LEASE_MS));
  expect((await on.vmi('upgraded'))?.metadata).toMatchObject({uid: metadata.uid, resourceVersion: version});
  expect(await node.label()).toBe('true');
});

test('clocks that are years off make nobody silent, and hide nobody who is', async () => {
  const [ahead, behind] = [await join('ahead', 10 * YEAR_MS), await join('behind', -10 * YEAR_MS)];
  const both = [ahead, behind];
  await eachOf(both, async node => void (await node.hosts(on, `on-${node.name}`)));
  await pauseMs(2 * LEASE_MS);
  for (const {name} of both) expect((await on.vmi(`on-${name}`))?.status?.phase).toBe('Running');
  await eachOf(both, node => node.lose());
  await eachOf(both, async node => void (await on.phase(`on-${node.name}`, 'Unknown')));
});

test('a daemon that is missing on a ready node is said, its guest stays Running, and no guest is sent there', async () => {
  const node = await join('headless');
  await node.hosts(on, 'headless');
  await node.daemon.stop();
  await on.until('the node is not for guests', async () => (await node.label()) === 'false');
  const told = async () =>
    (await on.vmi('headless'))?.status?.conditions?.some(({type}) => type === 'wherry.dev/NodeDaemonReady');
  expect(await told()).toBe(false);
  await pauseMs(LEASE_MS);
  await on.until('it is said', told);
  expect((await on.vmi('headless'))?.status?.phase).toBe('Running');
  expect(readyOf(await on.vmi('headless'))?.reason).toBe('GuestRunning');
  await node.daemon.start();
  await on.until('it is unsaid', async () => !(await told()));
  await on.until('the node is for guests', async () => (await node.label()) === 'true');
});

test('an operator that takes over while a node is silent waits for the whole Lease, and believes no fence before', async () => {
  const [known, fresh] = [await join('known'), await join('fresh')];
  const runs = {known: await known.hosts(on, 'known'), fresh: await fresh.hosts(on, 'fresh')};
  await known.lose();
  await on.phase('known', 'Unknown');
  await theatre.stopOperators();
  await fresh.lose();
  await fresh.taint();
  await known.taint();
  // The Leases are old by now, by whatever clock.
  await pauseMs(LEASE_MS);
  const began = performance.now();
  await theatre.startOperator('two');
  await theatre.leader();
  await pauseMs(LEASE_MS - 2000 - (performance.now() - began));
  expect((await on.vmi('known'))?.metadata.uid).toBe(runs.known.metadata.uid);
  expect((await on.vmi('fresh'))?.metadata.uid).toBe(runs.fresh.metadata.uid);
  await eachOf([known.name, fresh.name] as const, async name => {
    const {uid} = runs[name as 'known' | 'fresh'].metadata;
    await on.until('the run is over', async () => (await on.vmi(name))?.metadata.uid !== uid || undefined);
  });
});

test('when most daemons fall silent at once nothing is said before twice their time', async () => {
  const node = await join('last');
  await node.hosts(on, 'last');
  await Promise.all([...well, node].map(({daemon}) => daemon.stop()));
  await theatre.kubeletIs('last', 'Unknown');
  await pauseMs(LEASE_MS + 2000);
  expect((await on.vmi('last'))?.status?.phase).toBe('Running');
  await on.phase('last', 'Unknown');
});
