import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {core} from '@wherry/kube';
import {machines} from '@wherry/operator';
import {aNode, Stage} from './operator/stage.ts';
import {Theatre} from './operator/theatre.ts';

jest.setTimeout(60_000);

let theatre: Theatre;
beforeAll(async () => {
  theatre = await Theatre.open();
  await theatre.client.create(core.nodes, aNode('n1'));
  await theatre.ready('n1');
  await theatre.startOperator('one');
}, 90_000);
afterAll(() => theatre.close(), 30_000);

let count = 0;
const stage = (): Promise<Stage> => Stage.open(theatre.client, `life-${(count += 1)}`);

const nothingLeft = (on: Stage, name: string): Promise<boolean> =>
  on.until('nothing is asked any more', async () => (await on.vm(name))?.status?.stateChangeRequests === undefined);

/** Long enough for anything to happen that should not. */
const pause = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 700));

test('under Manual a machine starts and stops when it is asked to, and never by itself', async () => {
  const on = await stage();
  await on.make('web', {runStrategy: 'Manual'});
  await on.status('web', 'Stopped');
  await pause();
  expect(await on.vmi('web')).toBeUndefined();

  await on.ask('web', {action: 'Start'});
  const {vmi, pod} = await on.started('web');
  await nothingLeft(on, 'web');

  await on.ask('web', {action: 'Stop', uid: vmi.metadata.uid});
  await on.status('web', 'Stopping');
  await on.endDeleted(pod);
  await on.status('web', 'Stopped');
  await nothingLeft(on, 'web');
  await pause();
  expect(await on.vmi('web')).toBeUndefined();
});

test.each([
  ['powered itself off', 0, 'Succeeded'],
  ['failed', 30, 'Failed'],
])('under Manual a guest that %s stays as it ended, until a start is asked for', async (_, code, phase) => {
  const on = await stage();
  await on.make('web', {runStrategy: 'Manual'});
  await on.status('web', 'Stopped');
  await on.ask('web', {action: 'Start'});
  const {vmi, pod} = await on.started('web');
  await on.exit(pod, code);
  await on.phase('web', phase);
  await on.status('web', 'Stopped');
  await pause();
  expect((await on.vmi('web'))?.metadata.uid).toBe(vmi.metadata.uid);
  await on.ask('web', {action: 'Start'});
  await on.started('web', vmi.metadata.uid);
});

test('a restart is a stop with a start behind it, whatever the strategy', async () => {
  for (const runStrategy of ['Manual', 'Always', 'RerunOnFailure'] as const) {
    const on = await stage();
    await on.make('web', {runStrategy});
    if (runStrategy === 'Manual') {
      await on.status('web', 'Stopped');
      await on.ask('web', {action: 'Start'});
    }
    const {vmi, pod} = await on.started('web');
    await on.ask('web', {action: 'Stop', uid: vmi.metadata.uid}, {action: 'Start'});
    await on.endDeleted(pod);
    await on.started('web', vmi.metadata.uid);
    await nothingLeft(on, 'web');
  }
});

test('a stop under RerunOnFailure leaves the machine down; a start brings it up again', async () => {
  const on = await stage();
  await on.make('web', {runStrategy: 'RerunOnFailure'});
  const {vmi, pod} = await on.started('web');
  await on.ask('web', {action: 'Stop', uid: vmi.metadata.uid});
  await on.endDeleted(pod);
  await on.status('web', 'Stopped');
  await pause();
  expect(await on.vmi('web')).toBeUndefined();
  await on.ask('web', {action: 'Start'});
  await on.started('web', vmi.metadata.uid);
});

test('a stop of a run that is gone does nothing to the next one', async () => {
  const on = await stage();
  await on.make('web');
  const {vmi} = await on.started('web');
  await on.ask('web', {action: 'Stop', uid: 'old'});
  await nothingLeft(on, 'web');
  expect((await on.vmi('web'))?.metadata).toMatchObject({uid: vmi.metadata.uid});
  expect((await on.vmi('web'))?.metadata.deletionTimestamp).toBeUndefined();
});

test('a start of a halted machine makes it Always, and may want its guest paused', async () => {
  const on = await stage();
  await on.make('web', {runStrategy: 'Halted'});
  await on.status('web', 'Stopped');
  await on.ask('web', {action: 'Start', data: {paused: 'true'}});
  const vmi = await on.phase('web', 'Scheduling');
  expect(vmi.spec).toMatchObject({startStrategy: 'Paused'});
  const vm = await on.status('web', 'Starting');
  expect(vm.spec).toMatchObject({runStrategy: 'Always'});
  expect(vm.spec.template.spec).not.toHaveProperty('startStrategy');
  expect(vm.status?.conditions?.some(({type}) => type === 'RestartRequired')).toBe(false);
  await nothingLeft(on, 'web');
});

test('who halts a machine whose failed guest is owed a start is not overruled by that', async () => {
  const on = await stage();
  await on.make('web', {runStrategy: 'RerunOnFailure'});
  const {pod} = await on.started('web');
  await on.exit(pod, 30);
  await on.until(
    'a start is owed',
    async () => (await on.vm('web'))?.status?.stateChangeRequests?.[0]?.action === 'Start',
  );
  await on.setRunStrategy('web', 'Halted');
  await on.remove(pod);
  await on.status('web', 'Stopped');
  await pause();
  expect((await on.vm('web'))?.spec.runStrategy).toBe('Halted');
  expect(await on.vmi('web')).toBeUndefined();
});

test('a stop that names no run is refused', async () => {
  const on = await stage();
  await on.make('web', {runStrategy: 'Manual'});
  await on.status('web', 'Stopped');
  await expect(on.ask('web', {action: 'Stop'})).rejects.toThrow(/stateChangeRequests\[0\].uid.*must be given for Stop/);
});

test('a change of the template says RestartRequired with its field, leaves the guest running, and can be taken back', async () => {
  const on = await stage();
  await on.make('web');
  const {vmi} = await on.started('web');
  const key = {namespace: on.namespace, name: 'web'};
  await on.client.mergePatch(machines, key, {spec: {template: {spec: {domain: {memory: {guest: '256Mi'}}}}}});
  const vm = await on.until('RestartRequired', async () => {
    const now = await on.vm('web');
    return now?.status?.conditions?.some(({type}) => type === 'RestartRequired') === true ? now : undefined;
  });
  expect(vm.status?.printableStatus).toBe('Running');
  expect((await on.vmi('web'))?.metadata.uid).toBe(vmi.metadata.uid);
  const said = vm.status?.conditions?.find(({type}) => type === 'RestartRequired');
  expect(said?.message).toContain('domain.memory.guest');
  await on.client.mergePatch(machines, key, {spec: {template: {spec: {domain: {memory: {guest: '128Mi'}}}}}});
  await on.until(
    'the change is taken back',
    async () => (await on.vm('web'))?.status?.conditions?.some(({type}) => type === 'RestartRequired') === false,
  );
});
