import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {type PrintableStatus, statusGuide} from '@wherry/api';
import {core, keyOf} from '@wherry/kube';
import {type Instance, instances, machines} from '@wherry/operator';
import {TestNode} from './operator/lost-node.ts';
import {aNode, Stage} from './operator/stage.ts';
import {Theatre} from './operator/theatre.ts';
import {claim, unschedulable, waits} from './operator/trouble.ts';

jest.setTimeout(60_000);

let theatre: Theatre;
beforeAll(async () => {
  theatre = await Theatre.open();
  await theatre.client.create(core.nodes, aNode('n1'));
  await theatre.ready('n1');
  await theatre.startOperator('one');
}, 90_000);
afterAll(() => theatre.close(), 30_000);

/** Every word that was seen on a machine. */
const seen = new Set<string>();
const onData = {spec: {volumes: [{name: 'data', persistentVolumeClaim: {claimName: 'data'}}]}};

/** What happens, and the word that `kubectl get vm` shows for it then. */
const plays: [sentence: string, word: PrintableStatus, play: (on: Stage) => Promise<void>][] = [
  ['a machine that should not run is', 'Stopped', on => on.make('web', {runStrategy: 'Halted'})],
  ['a machine whose pod waits for its node is', 'Starting', on => on.make('web')],
  ['a machine whose guest runs is', 'Running', async on => void (await startNew(on))],
  [
    'a machine whose guest’s vCPUs are stopped is',
    'Paused',
    async on => {
      const {vmi} = await startNew(on);
      const conditions = [
        ...(vmi.status?.conditions ?? []),
        {type: 'Paused', status: 'True' as const, reason: 'PausedByUser'},
      ];
      await on.client.patchStatus(instances, (await on.vmi('web')) as Instance, {conditions});
    },
  ],
  [
    'a machine that is halted while its guest runs is',
    'Stopping',
    async on => {
      await startNew(on);
      await on.setRunStrategy('web', 'Halted');
    },
  ],
  [
    'a machine that is deleted while its guest runs is',
    'Terminating',
    async on => {
      await startNew(on);
      await on.client.delete(machines, {namespace: on.namespace, name: 'web'});
    },
  ],
  [
    'a machine whose node is not heard of is',
    'Unknown',
    async on => {
      const node = await TestNode.join(theatre, 'lost');
      await node.hosts(on, 'web');
      await node.lose();
    },
  ],
  ['a machine whose claim does not exist is', 'ErrorPvcNotFound', on => on.make('web', onData)],
  [
    'a machine whose claim is not bound is',
    'WaitingForVolumeBinding',
    async on => {
      await claim(on, 'data');
      await on.make('web', onData);
    },
  ],
  [
    'a machine that no node fits is',
    'ErrorUnschedulable',
    async on => {
      await on.make('web');
      await unschedulable(on, await on.pod('web'), '0/1 nodes are available: 1 Insufficient cpu.');
    },
  ],
  [
    'a machine whose image cannot be pulled is',
    'ErrImagePull',
    async on => {
      await on.make('web');
      await waits(on, await on.pod('web'), 'ErrImagePull', 'no such image');
    },
  ],
  [
    'a machine whose image is pulled again later is',
    'ImagePullBackOff',
    async on => {
      await on.make('web');
      await waits(on, await on.pod('web'), 'ImagePullBackOff', 'Back-off pulling image');
    },
  ],
  [
    'a machine whose guest ended before it ran is',
    'CrashLoopBackOff',
    async on => {
      await on.make('web');
      await on.phase('web', 'Scheduling');
      const pod = await on.pod('web');
      await on.run(pod);
      await on.phase('web', 'Scheduled');
      await on.exit(pod, 32, 'no such kernel');
    },
  ],
];

const startNew = async (on: Stage) => {
  await on.make('web');
  return on.started('web');
};

let count = 0;
test.each(plays)('%s %s', async (_sentence, word, play) => {
  const on = await Stage.open(theatre.client, `status-${(count += 1)}`);
  await play(on);
  await on.status('web', word);
  seen.add(word);
  expect(await theatre.kubectl(on.namespace).run('get', 'vm', 'web')).toMatch(
    new RegExp(`^web\\s.*\\s${word}\\s`, 'm'),
  );
});

test('these are all the words that can occur', () => {
  const can = Object.entries(statusGuide).filter(([, {never}]) => never === undefined);
  expect(seen).toEqual(new Set(can.map(([word]) => word)));
});

/** Reasons under Events in what kubectl prints, from the oldest to the newest. */
const storyOf = (described: string): readonly string[] => {
  const [, table = ''] = described.split('\nEvents:\n');
  return table
    .split('\n')
    .slice(2)
    .flatMap(line => /^ {2}(?:Normal|Warning)\s+(\S+)/.exec(line)?.[1] ?? []);
};

/** Tools order events by whole seconds. */
const aSecond = () => new Promise(resolve => setTimeout(resolve, 1100));

test('kubectl describe tells the story of a run from its beginning to its end, each thing once', async () => {
  const on = await Stage.open(theatre.client, 'story');
  const kubectl = theatre.kubectl(on.namespace);
  const {pod} = await startNew(on);
  await aSecond();
  await on.setRunStrategy('web', 'Halted');
  await on.until('the guest is told', async () => (await on.events('web')).includes('ShuttingDown'));
  expect(storyOf(await kubectl.run('describe', 'vmi', 'web'))).toEqual([
    'SuccessfulCreate',
    'SuccessfulDelete',
    'ShuttingDown',
  ]);
  await aSecond();
  await on.exit(pod, 20);
  await on.until('the pod is gone or going', async () => {
    const now = await on.client.get(core.pods, keyOf(pod));
    if (now?.metadata.deletionTimestamp !== undefined) await on.remove(pod).catch(() => undefined);
    return now === undefined;
  });
  await on.status('web', 'Stopped');
  expect(storyOf(await kubectl.run('describe', 'vm', 'web'))).toEqual(['SuccessfulCreate', 'SuccessfulDelete']);
  await aSecond();
  await on.setRunStrategy('web', 'Always');
  // The same again is counted: it is the newest by now.
  await on.until('the machine tells of its next run', async () => {
    const described = await kubectl.run('describe', 'vm', 'web');
    return /SuccessfulCreate +\S+ \(x2 over/.test(described) && storyOf(described)[0] === 'SuccessfulDelete';
  });
  const first = await kubectl.json<{items: {reason: string; metadata: {name: string}; message: string}[]}>(
    'get',
    'events',
    `--field-selector=involvedObject.kind=VirtualMachineInstance,involvedObject.uid=${pod.metadata.labels?.['kubevirt.io/created-by']}`,
  );
  expect(first.items.map(({reason}) => reason)).toEqual([
    'SuccessfulCreate',
    'SuccessfulDelete',
    'ShuttingDown',
    'Stopped',
    'Deleted',
  ]);
});
