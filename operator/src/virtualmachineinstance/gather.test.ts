import type {Key, KubeObject, Node, Pod, PodDisruptionBudget} from '@wherry/kube';
import {expect, test} from '@jest/globals';
import type {DaemonState} from '../node/sighting.ts';
import {controllerUid, type Instance} from '../objects.ts';
import {
  aClaim,
  anInstance,
  aPod,
  claimDisk,
  config,
  exited,
  isRunning,
  running,
  scheduled,
  waitsFor,
} from '../testing/fixtures.ts';
import {gather} from './gather.ts';
import {LastWords} from './last-words.ts';
import type {Stuck} from './stuck.ts';
import type {World} from './world.ts';

interface Cluster {
  readonly vmi?: Instance;
  /** What the caches know. */
  readonly pods?: readonly Pod[];
  readonly nodes?: readonly Node[];
  readonly claims?: readonly ReturnType<typeof aClaim>[];
  readonly budgets?: readonly PodDisruptionBudget[];
  /** What only the API server knows. */
  readonly live?: readonly KubeObject[];
  readonly lastWords?: LastWords;
  /** Of the daemon of each node. */
  readonly daemon?: DaemonState;
  /** What its Lease says when it is read. Defaults to the same. */
  readonly confirmed?: DaemonState;
}

const node = (name: string, taints: {key: string; effect: string}[] = [], ready = false): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {name},
  spec: {taints},
  status: {conditions: [{type: 'Ready', status: ready ? 'True' : 'Unknown'}]},
});
const outOfService = [{key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute'}];

/** Objects of one kind as a cache serves them. */
const reader = (objects: readonly KubeObject[]) => ({
  list: () => objects,
  get: ({name}: Key) => objects.find(({metadata}) => metadata.name === name),
  byIndex: (_index: string, uid: string) => objects.filter(object => controllerUid(object) === uid),
});

const asked: string[] = [];
const gathered = async ({
  vmi,
  pods = [],
  nodes = [node('n1')],
  claims = [],
  budgets = [],
  live = [],
  lastWords,
  daemon = 'absent',
  confirmed = daemon,
}: Cluster) => {
  asked.length = 0;
  const sources = {
    caches: {
      machines: reader([]),
      instances: reader(vmi === undefined ? [] : [vmi]),
      pods: reader(pods),
      nodes: reader(nodes),
      claims: reader(claims),
      budgets: reader(budgets),
    },
    client: {
      get: async (resource: {kind: string}, {name}: Key) => {
        asked.push(resource.kind);
        return live.find(object => object.kind === resource.kind && object.metadata.name === name);
      },
    },
    lastWords: lastWords ?? new LastWords(),
    config: {current: config},
    daemons: {
      stateOf: () => daemon,
      confirmed: async () => confirmed,
    },
    complaints: {
      about: async ({podUid}: Stuck) => {
        asked.push(`events of ${podUid}`);
        return {complaints: [], againMs: 1000};
      },
    },
  };
  return gather(sources as never, {namespace: 'default', name: 'web'}, new AbortController().signal);
};
const world = async (cluster: Cluster): Promise<World> => {
  const found = await gathered(cluster);
  if (found === undefined) throw new Error('no world');
  return found;
};

const started = anInstance({status: running});

test('there is no world without an instance', async () => {
  expect(await gathered({})).toBeUndefined();
});

test('the pod of a new run is found by its name', async () => {
  expect((await world({vmi: anInstance(), pods: [aPod()]})).pod?.metadata.uid).toBe('pod-uid');
});

test('a new run without a pod asks nobody', async () => {
  expect((await world({vmi: anInstance()})).pod).toBeUndefined();
  expect(asked).toEqual([]);
});

test('once handed over, a pod of the same name with another uid is a stray', async () => {
  const impostor = aPod({metadata: {uid: 'other'}});
  const {pod, strays} = await world({vmi: started, pods: [impostor]});
  expect(pod).toBeUndefined();
  expect(strays).toEqual([impostor]);
});

test('a pod that another object controls is not looked at', async () => {
  const foreign = aPod({metadata: {ownerReferences: []}});
  expect(await world({vmi: anInstance(), pods: [foreign]})).toMatchObject({pod: undefined, strays: []});
});

test('a pod that the cache lacks is asked for before a run is declared over', async () => {
  for (const status of [{phase: 'Scheduling' as const}, scheduled, running]) {
    const {pod} = await world({vmi: anInstance({status}), live: [aPod({state: isRunning})]});
    expect(pod?.metadata.uid).toBe('pod-uid');
  }
});

test('an answer that is another run’s pod is no answer', async () => {
  const successor = aPod({metadata: {uid: 'successor'}});
  expect((await world({vmi: started, live: [successor]})).pod).toBeUndefined();
});

test('the last words of the active pod are found when it is gone', async () => {
  const lastWords = new LastWords();
  lastWords.removed(aPod({state: exited(0)}));
  expect((await world({vmi: started, lastWords})).lastWords?.metadata.uid).toBe('pod-uid');
  expect((await world({vmi: started, pods: [aPod({state: isRunning})], lastWords})).lastWords).toBeUndefined();
});

test('nodes are gathered only for a run that still looks for a place', async () => {
  expect((await world({vmi: anInstance()})).nodes.map(({name}) => name)).toEqual(['n1']);
  expect((await world({vmi: started, pods: [aPod({state: isRunning})]})).nodes).toEqual([]);
});

const fences: [sentence: string, cluster: Cluster, fenced: boolean][] = [
  ['a node that is there is not fenced', {}, false],
  ['a node that the cache lacks is not fenced while the API server has it', {nodes: [], live: [node('n1')]}, false],
  ['a node that is gone from the API is fenced', {nodes: []}, true],
  ['a node that is declared out of service is fenced', {nodes: [node('n1', outOfService)]}, true],
  ['so is one whose daemon has fallen silent', {nodes: [node('n1', outOfService)], daemon: 'silent'}, true],
  ['one whose kubelet reports is not: it ends the pod itself', {nodes: [node('n1', outOfService, true)]}, false],
  ['one whose daemon answers is not: the machine is on', {nodes: [node('n1', outOfService)], daemon: 'answers'}, false],
  [
    'one whose daemon was not watched long enough is not, yet',
    {nodes: [node('n1', outOfService)], daemon: 'unknown'},
    false,
  ],
  [
    'one whose daemon has just been heard of is not',
    {nodes: [node('n1', outOfService)], daemon: 'silent', confirmed: 'answers'},
    false,
  ],
  ['a node that is gone while its daemon answers is not fenced', {nodes: [], daemon: 'answers'}, false],
  [
    'a node that is not ready is not fenced',
    {nodes: [node('n1', [{key: 'node.kubernetes.io/unreachable', effect: 'NoExecute'}])]},
    false,
  ],
  ['that its pod is still in the API is no proof of life', {nodes: [], pods: [aPod({state: isRunning})]}, true],
];

test.each(fences)('%s', async (_sentence, cluster, fenced) => {
  expect((await world({vmi: started, ...cluster})).nodeFenced).toBe(fenced);
});

test('a node that is ready is not asked about, and what its daemon does is known', async () => {
  const {nodeReady, daemon} = await world({
    vmi: started,
    nodes: [node('n1', [], true)],
    pods: [aPod({state: isRunning})],
    daemon: 'missing',
  });
  expect([nodeReady, daemon, asked]).toEqual([true, 'missing', []]);
});

test('of a pod that has a node already, that node is known before the hand-over', async () => {
  const vmi = anInstance({status: {phase: 'Scheduling'}});
  const {nodeReady, daemon} = await world({vmi, pods: [aPod({state: isRunning})], daemon: 'silent'});
  expect([nodeReady, daemon]).toEqual([false, 'silent']);
});

test('a run that looks for a place is shown no node whose daemon is silent', async () => {
  expect((await world({vmi: anInstance(), daemon: 'silent'})).nodes).toEqual([]);
  expect((await world({vmi: anInstance(), daemon: 'unknown'})).nodes).toHaveLength(1);
});

test('claims that exist are found by name, missing ones are missing', async () => {
  const {claims} = await world({vmi: anInstance({spec: claimDisk('data')}), claims: [aClaim('data'), aClaim('other')]});
  expect([...claims.keys()]).toEqual(['data']);
  expect((await world({vmi: anInstance({spec: claimDisk('data')})})).claims.size).toBe(0);
});

test('events are looked for only while a run that was not handed over is stuck', async () => {
  const waiting = aPod({state: waitsFor('ContainerCreating')});
  expect((await world({vmi: anInstance({status: {phase: 'Scheduling'}}), pods: [waiting]})).lookAgainMs).toBe(1000);
  expect(asked).toEqual(['events of pod-uid']);
  for (const cluster of [
    {vmi: anInstance({status: {phase: 'Scheduling' as const}}), pods: [aPod({state: isRunning})]},
    {vmi: anInstance({status: scheduled}), pods: [waiting]},
    {vmi: anInstance()},
  ]) {
    expect((await world(cluster)).lookAgainMs).toBeUndefined();
    expect(asked).toEqual([]);
  }
});
