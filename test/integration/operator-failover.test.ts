import {afterAll, afterEach, beforeAll, expect, jest, test} from '@jest/globals';
import {core, keyOf} from '@wherry/kube';
import {machines} from '@wherry/operator';
import {aNode, Stage} from './operator/stage.ts';
import {Theatre} from './operator/theatre.ts';

jest.setTimeout(60_000);

let theatre: Theatre;
beforeAll(async () => {
  theatre = await Theatre.open();
  await theatre.client.create(core.nodes, aNode('n1'));
  await theatre.ready('n1');
}, 90_000);
afterAll(() => theatre.close(), 30_000);
afterEach(() => theatre.stopOperators());

let count = 0;
const stage = (): Promise<Stage> => Stage.open(theatre.client, `failover-${(count += 1)}`);

/** The operator dies once it has done so many writes, and another one takes over. */
const takeOver = async (on: Stage, diesAfter: number, act: () => Promise<void>): Promise<void> => {
  await theatre.startOperator('doomed', diesAfter);
  await act();
  await on.until('the first operator died', async () => theatre.hasDied('doomed'));
  await theatre.stopOperator('doomed');
  await theatre.startOperator('heir');
};

// Finalizer, instance, machine's status, pod, Scheduling: what one operator writes before the pod has a node.
test.each([1, 2, 3, 4, 5])(
  'a start goes on with one instance and one pod when the operator dies after write %i',
  async writes => {
    const on = await stage();
    await takeOver(on, writes, () => on.make('web'));
    const {vmi} = await on.started('web');
    expect((await on.vmi('web'))?.metadata.uid).toBe(vmi.metadata.uid);
    expect(on.podsSeen.size).toBe(1);
  },
);

test.each([1, 2])('a hand-over is carried through when the operator dies after write %i of it', async writes => {
  const on = await stage();
  await theatre.startOperator('first');
  await on.make('web');
  await on.phase('web', 'Scheduling');
  const pod = await on.pod('web');
  await theatre.stopOperator('first');
  await takeOver(on, writes, () => on.run(pod));
  const {metadata} = await on.guestRuns('web');
  expect(metadata.labels).toMatchObject({'kubevirt.io/nodeName': 'n1'});
  await on.status('web', 'Running');
});

test.each([1, 2, 3])('a stop leaves nothing when the operator dies after write %i', async writes => {
  const on = await stage();
  await theatre.startOperator('first');
  await on.make('web');
  const {pod} = await on.started('web');
  await theatre.stopOperator('first');
  await takeOver(on, writes, () => on.setRunStrategy('web', 'Halted'));
  await on.endDeleted(pod);
  // The heir may come too late to see how the pod ended.
  await on.engineIsGone('web');
  await on.status('web', 'Stopped');
  expect(await on.vmi('web')).toBeUndefined();
});

test.each([1, 2, 3, 4, 5, 6])(
  'a failed guest is owed its next run although the operator dies after write %i',
  async writes => {
    const on = await stage();
    await theatre.startOperator('first');
    await on.make('web', {runStrategy: 'RerunOnFailure'});
    const {vmi, pod} = await on.started('web');
    await theatre.stopOperator('first');
    const clearing = on.until('the ended pod is removed', async () => {
      const now = await on.client.get(core.pods, keyOf(pod));
      if (now?.metadata.deletionTimestamp !== undefined) await on.remove(pod);
      return now === undefined;
    });
    await takeOver(on, writes, () => on.exit(pod, 31));
    await clearing;
    await on.started('web', vmi.metadata.uid);
    expect(on.podsSeen.size).toBe(2);
  },
);

test('a pod that vanishes while no operator runs is not replaced before its engine is gone', async () => {
  const on = await stage();
  await theatre.startOperator('first');
  await on.make('web');
  const {vmi, pod} = await on.started('web');
  await theatre.stopOperator('first');
  await on.exit(pod, 0);
  await on.remove(pod);
  await theatre.startOperator('second');
  await new Promise(resolve => setTimeout(resolve, 1500));
  expect((await on.vmi('web'))?.metadata.uid).toBe(vmi.metadata.uid);
  expect(on.podsSeen.size).toBe(1);
  await on.engineIsGone('web');
  await on.started('web', vmi.metadata.uid);
});

test('of two operators one works, and the other takes over when it stops', async () => {
  const on = await stage();
  await theatre.startOperator('one');
  await theatre.startOperator('two');
  await on.make('web');
  await on.started('web');
  const leader = await theatre.leader();
  const other = leader === 'one' ? 'two' : 'one';
  await theatre.stopOperator(leader);
  await on.make('next');
  await on.started('next');
  expect(await theatre.leader()).toBe(other);
  expect(on.podsSeen.size).toBe(2);
});

test('machines that are deleted while no operator runs go when one comes back', async () => {
  const on = await stage();
  await theatre.startOperator('first');
  await on.make('web');
  const {pod} = await on.started('web');
  await theatre.stopOperator('first');
  await on.client.delete(machines, {namespace: on.namespace, name: 'web'});
  expect(await on.vm('web')).toBeDefined();
  await theatre.startOperator('second');
  await on.endDeleted(pod);
  await on.engineIsGone('web');
  await on.until('all is gone', async () => (await on.vm('web')) === undefined);
});
