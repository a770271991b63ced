import {afterAll, beforeAll, describe, expect, jest, test} from '@jest/globals';
import {core, keyOf, type Pod, policy} from '@wherry/kube';
import {instances, type Machine, machines} from '@wherry/operator';
import {aNode, aVm, Stage} from './operator/stage.ts';
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

test('an instance carries the node that it was handed to as a label, which nobody else may touch', async () => {
  const on = await stage();
  await on.make('web');
  await on.started('web');
  const selected = await on.client.list(instances, {
    namespace: on.namespace,
    labelSelector: 'kubevirt.io/nodeName=n1',
  });
  expect(selected.map(({metadata}) => metadata.name)).toEqual(['web']);
  const key = {namespace: on.namespace, name: 'web'};
  const moved = on.client.mergePatch(instances, key, {metadata: {labels: {'kubevirt.io/nodeName': 'n2'}}});
  await expect(moved).rejects.toThrow(/the label kubevirt.io\/nodeName is set by the system alone/);
  const made = {...aVm(on.namespace, 'own'), kind: 'VirtualMachineInstance'};
  const labelled = {...made, metadata: {...made.metadata, labels: {'kubevirt.io/created-by': 'me'}}};
  const own = on.client.create(instances, {...labelled, spec: made.spec.template.spec} as never);
  await expect(own).rejects.toThrow(/the label kubevirt.io\/created-by is set by the system alone/);
  // Other labels are the user's.
  await on.client.mergePatch(instances, key, {metadata: {labels: {team: 'web'}}});
});

test('the deprecated field running is taken, with the warning of KubeVirt', async () => {
  const on = await stage();
  const {runStrategy: _new, ...spec} = aVm(on.namespace, 'old').spec;
  const vm = {...aVm(on.namespace, 'old'), spec: {...spec, running: false}};
  expect(await theatre.tryOut(vm)).toMatch(
    /Warning: .*spec.running is deprecated, please use spec.runStrategy instead/,
  );
  expect(await theatre.tryOut(aVm(on.namespace, 'new'))).not.toContain('Warning');
  await on.client.create(machines, vm as Machine);
  await on.status('old', 'Stopped');
});

/** As `kubectl drain` does. */
const evict = ({metadata: {namespace = '', name}}: Pod): Promise<string> =>
  theatre.kubectl(namespace).post(`/api/v1/namespaces/${namespace}/pods/${name}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: {namespace, name},
  });

describe('a guest with evictionStrategy External', () => {
  const external = {spec: {evictionStrategy: 'External'}};

  test('has a budget for its pod, which is made again when somebody deletes it', async () => {
    const on = await stage();
    await on.make('kept', external);
    const {vmi, pod} = await on.started('kept');
    await expect(evict(pod)).rejects.toThrow(/disruption budget/);
    const budgets = () => on.client.list(policy.podDisruptionBudgets, {namespace: on.namespace});
    const [budget] = await budgets();
    expect(budget).toMatchObject({
      metadata: {ownerReferences: [{kind: 'VirtualMachineInstance', uid: vmi.metadata.uid}]},
      spec: {minAvailable: 1, selector: {matchLabels: {'kubevirt.io/created-by': vmi.metadata.uid}}},
    });
    await on.client.delete(policy.podDisruptionBudgets, keyOf(budget!));
    await on.until('it is made again', async () => (await budgets()).length === 1);
  });

  test('says which node it must leave while that is cordoned', async () => {
    const on = await stage();
    await on.client.create(core.nodes, aNode('full'));
    await theatre.ready('full');
    await on.make('kept', external);
    await on.phase('kept', 'Scheduling');
    await on.run(await on.pod('kept'), 'full');
    await on.guestRuns('kept');
    const cordon = (unschedulable: boolean): Promise<unknown> =>
      on.client.mergePatch(core.nodes, {name: 'full'}, {spec: {unschedulable}});
    const evacuation = async (): Promise<string | undefined> => (await on.vmi('kept'))?.status?.evacuationNodeName;
    expect(await evacuation()).toBeUndefined();
    await cordon(true);
    await on.until('it must leave', async () => (await evacuation()) === 'full');
    await on.until('an event says so', async () => (await on.events('kept')).includes('EvictionRequested'));
    expect((await on.phase('kept', 'Running')).metadata.deletionTimestamp).toBeUndefined();
    await cordon(false);
    await on.until('it may stay', async () => (await evacuation()) === undefined);
  });

  test('is one of its own: others have no budget, and run again when they are evicted', async () => {
    const on = await stage();
    await on.make('usual');
    const {vmi, pod} = await on.started('usual');
    expect(await on.client.list(policy.podDisruptionBudgets, {namespace: on.namespace})).toEqual([]);
    await evict(pod);
    await on.endDeleted(pod);
    await on.started('usual', vmi.metadata.uid);
  });

  test('is also one whose cluster says so, as long as it does', async () => {
    const on = await stage();
    await on.make('usual');
    await on.started('usual');
    const budgets = () => on.client.list(policy.podDisruptionBudgets, {namespace: on.namespace});
    theatre.configure({evictionStrategy: 'External'});
    await on.until('it is protected while it runs', async () => (await budgets()).length === 1);
    theatre.configure({});
    await on.until('it is protected no more', async () => (await budgets()).length === 0);
  });
});

test('all that the operator asked of the API server it may, and no Secret was asked for', async () => {
  const requests = (await theatre.audited()).filter(({account}) => account === 'wherry:wherry-operator');
  expect(requests.length).toBeGreaterThan(50);
  expect(requests.filter(({allowed}) => !allowed)).toEqual([]);
  expect(requests.filter(({resource}) => resource.startsWith('secrets'))).toEqual([]);
});
