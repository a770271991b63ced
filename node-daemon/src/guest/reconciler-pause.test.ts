import {afterEach, beforeEach, expect} from '@jest/globals';
import type {VirtualMachineInstance} from '@wherry/api';
import {instance} from '../testing/instances.ts';
import {built, conditionOf, Node, testBuilt as test} from '../testing/node.ts';

let node: Node;
beforeEach(() => {
  if (built) node = new Node({phase: 'Scheduled'});
});
afterEach(async () => {
  if (built) await node[Symbol.asyncDispose]();
});

test('a guest that stops and runs on all the time is written about once a second at most', async () => {
  const launcher = await node.listen({state: 'Running'});
  await node.turn();
  const writes = node.writes.length;
  for (let flip = 0; flip < 20; flip++) {
    const woken = node.woken;
    launcher.emit({type: 'engine', qmp: {event: flip % 2 === 0 ? 'STOP' : 'RESUME'}});
    await node.until(() => node.woken > woken);
    node.now += 100;
    await node.turn();
  }
  expect(node.writes.length - writes).toBeLessThanOrEqual(2);
  launcher.emit({type: 'engine', qmp: {event: 'STOP'}});
  node.now += 1000;
  await node.until(() => node.woken > 20);
  await node.turn();
  expect(conditionOf(node.vmi, 'Paused')).toMatchObject({status: 'True'});
});

const annotated = (paused: string | undefined): VirtualMachineInstance =>
  instance({
    metadata: paused === undefined ? {} : {annotations: {'wherry.dev/paused': paused}},
    ...(node.vmi?.status === undefined ? {} : {status: node.vmi.status}),
  });

test('a guest that starts paused is reported so, and resumed when its annotation says so', async () => {
  const launcher = await node.listen();
  await node.turn();
  launcher.emit({type: 'state', state: 'Running', reason: 'Paused'});
  await node.until(() => node.woken > 0);
  await node.turn();
  expect(conditionOf(node.vmi, 'Paused')).toMatchObject({status: 'True', reason: 'PausedByUser'});
  expect(conditionOf(node.vmi, 'Ready')).toMatchObject({status: 'False', reason: 'GuestPaused'});
  expect(launcher.commands).not.toContain('cont');

  node.vmi = annotated('false');
  node.now += 2000;
  await node.turn();
  expect(launcher.commands.filter(command => command === 'cont')).toHaveLength(1);
  const woken = node.woken;
  launcher.emit({type: 'engine', qmp: {event: 'RESUME'}});
  await node.until(() => node.woken > woken);
  await node.turn();
  expect(conditionOf(node.vmi, 'Paused')).toBeUndefined();
  expect(launcher.commands.filter(command => command === 'cont')).toHaveLength(1);
  expect(node.told).toEqual(['Created', 'Started', 'Paused', 'Resumed']);
});

test('a guest that is to be paused and runs is paused by a daemon that starts anew', async () => {
  const launcher = await node.listen({state: 'Running'});
  node.vmi = annotated('true');
  await node.turn();
  expect(launcher.commands).toContain('stop');
});

test('a guest that is to be paused and is is left alone by a daemon that starts anew', async () => {
  const engine = {'query-status': {status: 'paused', running: false}};
  const launcher = await node.listen({state: 'Running', engine});
  node.vmi = annotated('true');
  await node.turn();
  expect(launcher.commands).not.toContain('stop');
  expect(conditionOf(node.vmi, 'Paused')).toMatchObject({reason: 'PausedByUser'});
});

test('a guest that its engine stopped for a failed disk is not resumed at once, and says why it stands', async () => {
  const launcher = await node.listen({
    state: 'Running',
    engine: {
      'query-status': {status: 'io-error', running: false},
      'query-block': [{device: '', qdev: '/machine/peripheral/disk-data/virtio-backend', 'io-status': 'nospace'}],
    },
  });
  const {spec} = instance({
    domain: {devices: {disks: [{name: 'data', disk: {bus: 'virtio'}}]}},
    spec: {volumes: [{name: 'data', emptyDisk: {capacity: '1Gi'}}]},
  });
  node.vmi = {...annotated('false'), spec};
  await node.turn();
  expect(launcher.commands).not.toContain('cont');
  expect(conditionOf(node.vmi, 'Paused')).toMatchObject({
    status: 'True',
    reason: 'PausedIOError',
    message: expect.stringContaining('the volume data is full'),
  });
  expect(node.told).toContain('IOerror');
});

const full = {
  'query-status': {status: 'io-error', running: false},
  'query-block': [{device: '', qdev: '/machine/peripheral/disk-data/virtio-backend', 'io-status': 'nospace'}],
};

test('a guest whose disk has failed is tried with ever longer waits, and nothing is written while it fails', async () => {
  const launcher = await node.listen({state: 'Running', engine: full});
  expect(await node.turn()).toEqual({afterMs: 5000});
  const {length} = node.writes;
  for (const waited of [5000, 10_000, 20_000]) {
    node.now += waited;
    const [woken, before] = [node.woken, launcher.commands.filter(command => command === 'cont').length];
    await node.turn();
    expect(launcher.commands.filter(command => command === 'cont')).toHaveLength(before + 1);
    launcher.emit({type: 'engine', qmp: {event: 'RESUME'}});
    await node.until(() => node.woken > woken);
    await node.turn();
    launcher.emit({type: 'engine', qmp: {event: 'BLOCK_IO_ERROR', data: {action: 'stop'}}});
    launcher.emit({type: 'engine', qmp: {event: 'STOP'}});
    await node.until(() => node.woken > woken + 2);
    await node.turn();
  }
  expect(node.writes).toHaveLength(length);
  expect(node.told.filter(told => told === 'IOerror')).toHaveLength(1);
});

test('a guest whose disk is well again runs on, and that is said after two seconds', async () => {
  const launcher = await node.listen({state: 'Running', engine: full});
  await node.turn();
  node.now += 5000;
  await node.turn();
  const {woken} = node;
  launcher.emit({type: 'engine', qmp: {event: 'RESUME'}});
  await node.until(() => node.woken > woken);
  expect(await node.turn()).toEqual({afterMs: 2000});
  expect(conditionOf(node.vmi, 'Paused')).toMatchObject({reason: 'PausedIOError'});
  node.now += 2000;
  expect(await node.turn()).toEqual({});
  expect(conditionOf(node.vmi, 'Paused')).toBeUndefined();
  expect(node.told).toContain('Resumed');
});

test('a guest whose disk has failed and that shall be paused anyway is not tried', async () => {
  const launcher = await node.listen({state: 'Running', engine: full});
  node.vmi = annotated('true');
  await node.turn();
  node.now += 60_000;
  await node.turn();
  expect(launcher.commands).not.toContain('cont');
});

test('a guest without a balloon is not asked for its memory', async () => {
  const launcher = await node.listen({state: 'Running'});
  node.vmi = instance({
    domain: {devices: {autoattachMemBalloon: false}},
    ...(node.vmi?.status === undefined ? {} : {status: node.vmi.status}),
  });
  await node.turn();
  expect(node.vmi?.status?.phase).toBe('Running');
  expect(launcher.commands).not.toContain('qom-set');
});

test('an engine that hangs is named by a daemon that starts anew, and so is its recovery', async () => {
  const launcher = await node.listen({state: 'Running'});
  await node.turn();
  launcher.hangs = true;
  node.reconciler.close();
  node.timeoutMs = 300;
  node.reconciler = node.newReconciler();
  expect(await node.turn()).toEqual({afterMs: 2000});
  expect(conditionOf(node.vmi, 'wherry.dev/EngineActive')).toMatchObject({
    status: 'Unknown',
    reason: 'EngineUnresponsive',
  });
  const {length} = node.writes;
  await node.turn();
  expect(node.writes).toHaveLength(length);

  launcher.hangs = false;
  await node.turn();
  expect(conditionOf(node.vmi, 'wherry.dev/EngineActive')).toMatchObject({status: 'True'});
  expect(node.told).toEqual(['Started', 'EngineUnresponsive', 'EngineResponsive']);
});
