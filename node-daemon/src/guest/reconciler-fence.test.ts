/** What a daemon does about guests whose runs are over: its node was fenced, and came back. */
import {afterEach, beforeEach, expect} from '@jest/globals';
import type {FakeLauncher} from '../testing/fake-launcher.ts';
import {instance, UID} from '../testing/instances.ts';
import {built, conditionOf, Node, testBuilt as test} from '../testing/node.ts';

let node: Node;
let launcher: FakeLauncher;
beforeEach(async () => {
  if (!built) return;
  node = new Node({phase: 'Scheduled'});
  launcher = await node.listen({state: 'Running'});
  await node.turn();
});
afterEach(async () => {
  if (built) await node[Symbol.asyncDispose]();
});

const kills = (): number => launcher.asked.filter(op => op === 'kill').length;

test('an engine that lives although its instance is gone is ended, once', async () => {
  node.vmi = undefined;
  await node.turn();
  await node.turn();
  expect(kills()).toBe(1);
  expect(node.reconciler.guests).toEqual([]);
});

test('an engine whose instance has a successor on another node is ended', async () => {
  node.vmi = undefined;
  node.elsewhere = instance({metadata: {uid: 'successor'}, status: {phase: 'Running', nodeName: 'n2'}});
  await node.turn();
  expect(kills()).toBe(1);
});

test('an engine whose successor was handed to this very node is ended before that one starts', async () => {
  const next = '99999999-2222-4333-8444-555555555555';
  node.vmi = instance({
    metadata: {uid: 'successor'},
    status: {phase: 'Scheduled', nodeName: 'n1', activePods: {[next]: 'n1'}},
  });
  await node.turn();
  expect(kills()).toBe(1);
  expect(node.reconciler.guests.map(({link}) => link.podUid)).toEqual([next]);
});

test('an engine whose run was declared Failed is ended', async () => {
  node.vmi = instance({status: {...node.vmi?.status, phase: 'Failed'}});
  await node.turn();
  expect(kills()).toBe(1);
});

test('an instance that only this node’s cache lacks keeps its engine', async () => {
  const here = node.vmi;
  node.vmi = undefined;
  node.elsewhere = here;
  await node.turn();
  expect(node.asked).toBe(1);
  expect(kills()).toBe(0);
});

test('nothing is ended on the word of an API server that does not answer', async () => {
  const asks = node.newReconciler();
  node.reconciler.close();
  node.reconciler = asks;
  await node.turn();
  Object.defineProperty(node, 'elsewhere', {
    get: () => {
      throw new Error('no answer');
    },
  });
  node.vmi = undefined;
  await expect(node.turn()).rejects.toThrow('no answer');
  expect(kills()).toBe(0);
  expect(node.reconciler.guests).toHaveLength(1);
});

test('letting go of all guests when the daemon stops ends none', async () => {
  node.reconciler.close();
  expect(kills()).toBe(0);
  expect(node.asked).toBe(0);
});

test('a guest that was given up for a while runs on: its phase says so again, and nothing is said to have started', async () => {
  node.vmi = {...node.vmi!, status: {...node.vmi!.status, phase: 'Unknown'}};
  const told = [...node.told];
  await node.turn();
  expect(node.vmi.status).toMatchObject({phase: 'Running'});
  expect(conditionOf(node.vmi, 'wherry.dev/EngineActive')?.status).toBe('True');
  expect(node.told).toEqual(told);
  expect(node.vmi.metadata.uid).toBe(UID);
  expect(node.started).toBe(0);
});

test('a launcher that is idle after its guest ran is complained of, though the phase is Unknown', async () => {
  node.vmi = {...node.vmi!, status: {...node.vmi!.status, phase: 'Unknown'}};
  launcher.hangUp();
  await node.until(() => launcher.peers === 0);
  launcher.state = 'Idle';
  node.now += 500;
  await node.turn();
  expect(node.started).toBe(0);
  expect(node.told).toContain('SyncFailed');
});
