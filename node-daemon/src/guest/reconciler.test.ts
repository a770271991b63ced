import {afterEach, beforeEach, expect} from '@jest/globals';
import {DaemonError} from '../errors.ts';
import {instance} from '../testing/instances.ts';
import {built, conditionOf, Node, POD, testBuilt as test} from '../testing/node.ts';

const AGENT_OPEN = [{label: 'agent', 'frontend-open': true, filename: ''}];

let node: Node;
beforeEach(() => {
  if (built) node = new Node({phase: 'Scheduled'});
});
afterEach(async () => {
  if (built) await node[Symbol.asyncDispose]();
});

test('a guest is started once, however often its turn comes, and reported when it runs', async () => {
  const launcher = await node.listen();
  await node.turn();
  await node.turn();
  expect(node.started).toBe(1);
  launcher.emit({type: 'state', state: 'Starting'});
  launcher.emit({type: 'state', state: 'Running'});
  await node.until(() => node.woken >= 2);
  await node.turn();
  expect(node.writes).toHaveLength(1);
  expect(node.vmi?.status).toMatchObject({
    phase: 'Running',
    interfaces: [{ipAddress: '10.244.1.7'}],
    engine: {name: 'qemu', version: '10.0.13'},
  });
  expect(node.told).toEqual(['Created', 'Started']);
  await node.turn();
  expect(node.writes).toHaveLength(1);
});

test('a launcher that does not listen yet is looked for again soon', async () => {
  expect(await node.turn()).toEqual({afterMs: 100});
  await node.listen();
  await node.turn();
  expect(node.started).toBe(1);
});

test('a daemon that restarts adopts a running guest and writes nothing', async () => {
  const launcher = await node.listen({state: 'Running'});
  await node.turn();
  expect(node.writes).toHaveLength(1);
  node.reconciler.close();
  await node.until(() => launcher.peers === 0);
  node.reconciler = node.newReconciler();
  await node.turn();
  expect(node.started).toBe(0);
  expect(node.writes).toHaveLength(1);
  expect(launcher.peers).toBe(1);
});

test('a lost connection is made again, but not at once, and the guest is not started again', async () => {
  const launcher = await node.listen({state: 'Running'});
  await node.turn();
  launcher.hangUp();
  await node.until(() => node.woken > 0);
  expect(await node.turn()).toEqual({afterMs: 1000});
  expect(launcher.peers).toBe(0);
  node.now += 500;
  await node.turn();
  expect(launcher.peers).toBe(1);
  expect(node.started).toBe(0);
});

test('a launcher that talks nonsense loses its connection and nothing else', async () => {
  const launcher = await node.listen({state: 'Running'});
  await node.turn();
  launcher.say({seq: 'one'});
  await node.until(() => launcher.peers === 0);
  node.now += 500;
  await node.turn();
  expect(launcher.peers).toBe(1);
  expect(node.writes).toHaveLength(1);
});

test('a failed start is said once and tried again with the launcher asked anew', async () => {
  const launcher = await node.listen();
  node.onStart = async () => {
    throw new DaemonError('PROGRAM_FAILED', 'nft ended with code 1');
  };
  await expect(node.turn()).rejects.toMatchObject({code: 'PROGRAM_FAILED'});
  await expect(node.turn()).rejects.toMatchObject({code: 'PROGRAM_FAILED'});
  expect(conditionOf(node.vmi, 'Synchronized')).toMatchObject({status: 'False', message: 'nft ended with code 1'});
  expect(node.writes).toHaveLength(1);
  expect(node.told).toEqual(['SyncFailed']);
  expect(launcher.asked.filter(op => op === 'hello')).toHaveLength(2);
});

test('a plan that arrived although its answer was lost is not handed over again', async () => {
  const launcher = await node.listen();
  node.onStart = async () => {
    launcher.state = 'Running';
    throw new DaemonError('TIMED_OUT', 'no answer');
  };
  await expect(node.turn()).rejects.toMatchObject({code: 'TIMED_OUT'});
  await node.turn();
  expect(node.started).toBe(1);
  expect(node.vmi?.status?.phase).toBe('Running');
  expect(conditionOf(node.vmi, 'Synchronized')).toBeUndefined();
});

test('when the kubelet has removed the pod, the engine is said to be gone, once, and nothing starts any more', async () => {
  await node.listen({state: 'Running'});
  await node.turn();
  await node.launcher?.close();
  await node.until(() => node.woken > 0);
  await node.turn();
  node.pod.remove();
  expect(await node.turn()).toEqual({afterMs: 1000});
  node.now += 1000;
  await node.turn();
  expect(conditionOf(node.vmi, 'wherry.dev/EngineActive')).toMatchObject({status: 'False', reason: 'PodGone'});
  const writes = node.writes.length;
  await node.turn();
  expect(node.writes).toHaveLength(writes);
  expect(node.reconciler.guests).toHaveLength(0);
});

test('a folder that is missing is no proof while the pod has processes', async () => {
  await node.listen({state: 'Running'});
  await node.turn();
  node.reconciler.close();
  node.pod.remove();
  node.processes = true;
  node.reconciler = node.newReconciler();
  expect(await node.turn()).toEqual({afterMs: 1000});
  node.now += 3_600_000;
  await node.turn();
  expect(conditionOf(node.vmi, 'wherry.dev/EngineActive')).toMatchObject({status: 'True'});
  node.processes = false;
  await node.turn();
  node.now += 1000;
  await node.turn();
  expect(conditionOf(node.vmi, 'wherry.dev/EngineActive')).toMatchObject({status: 'False', reason: 'PodGone'});
});

test('a silent socket alone is no proof that the engine is gone', async () => {
  await node.listen({state: 'Running'});
  await node.turn();
  await node.launcher?.close();
  await node.until(() => node.woken > 0);
  node.now += 3_600_000;
  expect(await node.turn()).toEqual({afterMs: 1000});
  expect(conditionOf(node.vmi, 'wherry.dev/EngineActive')).toMatchObject({status: 'True'});
});

test('a socket that somebody else serves gets nothing', async () => {
  const launcher = await node.listen();
  node.peerProblem = () => 'it is served by uid 0, not 107';
  await expect(node.turn()).rejects.toMatchObject({code: 'PROTOCOL'});
  expect(launcher.asked).toEqual([]);
  expect(node.started).toBe(0);
});

test('a launcher of another run gets nothing', async () => {
  await node.listen({uid: 'somebody-else'});
  await node.turn();
  expect(node.started).toBe(0);
  expect(node.told).toEqual(['SyncFailed']);
});

test('an instance of another node is left alone', async () => {
  const launcher = await node.listen();
  node.vmi = instance({status: {phase: 'Scheduled', nodeName: 'n2', activePods: {[POD]: 'n2'}}});
  await node.turn();
  expect(launcher.asked).toEqual([]);
});

test('a guest agent is asked when its channel opens, and missed when it closes', async () => {
  const launcher = await node.listen({state: 'Running', engine: {'query-chardev': AGENT_OPEN}});
  await node.turn();
  await node.until(() => node.woken > 0);
  const turn = await node.turn();
  expect(node.vmi?.status?.guestOSInfo).toEqual({id: 'debian'});
  expect(conditionOf(node.vmi, 'AgentConnected')).toMatchObject({status: 'True'});
  expect(turn.afterMs).toBeGreaterThan(60_000);
  launcher.emit({type: 'engine', qmp: {event: 'VSERPORT_CHANGE', data: {open: false, id: 'agent-port'}}});
  await node.until(() => node.woken > 1);
  node.now += 10_000;
  await node.turn();
  expect(conditionOf(node.vmi, 'AgentConnected')).toMatchObject({status: 'False'});
});

test('a guest that opens and closes its agent’s channel all the time causes no write each time', async () => {
  const launcher = await node.listen({state: 'Running', engine: {'query-chardev': AGENT_OPEN}});
  await node.turn();
  await node.until(() => node.woken > 0);
  await node.turn();
  const writes = node.writes.length;
  for (const open of [false, true, false, true, false]) {
    launcher.emit({type: 'engine', qmp: {event: 'VSERPORT_CHANGE', data: {open, id: 'agent-port'}}});
    await node.turn();
  }
  expect(node.writes).toHaveLength(writes);
});

test('an instance that is gone is let go', async () => {
  const launcher = await node.listen({state: 'Running'});
  await node.turn();
  node.vmi = undefined;
  await node.turn();
  await node.until(() => launcher.peers === 0);
  expect(node.reconciler.guests).toHaveLength(0);
});

test('a machine that the engine of the operator cannot run is refused, with all that it lacks', async () => {
  await node.listen();
  const engine = {name: 'native', version: '', reason: 'it can, says an operator of another version'} as const;
  node.vmi = {...node.vmi!, status: {...node.vmi!.status, engine}};
  await expect(node.turn()).rejects.toMatchObject({code: 'UNSUPPORTED_MACHINE'});
  expect(conditionOf(node.vmi, 'Synchronized')?.message).toMatch(/no firmware: it boots a kernelBoot alone/);
  expect(node.started).toBe(0);
});

test('the engine is the one of the hand-over, whatever its annotation says later', async () => {
  const launcher = await node.listen({
    state: 'Running',
    engine: {'query-version': {package: 'wherry-vmm 0.1.0'}, 'query-status': {status: 'running', running: true}},
  });
  const engine = {name: 'native', version: '', reason: 'it can'} as const;
  const {metadata, status} = node.vmi!;
  node.vmi = {
    ...node.vmi!,
    metadata: {...metadata, annotations: {'wherry.dev/engine': 'qemu'}},
    status: {...status, engine},
  };
  await node.turn();
  expect(node.vmi.status?.engine).toEqual({name: 'native', version: '0.1.0', reason: 'it can'});
  expect(node.vmi.status?.machine).toEqual({type: 'wherry-1'});
  expect(launcher.commands).not.toContain('query-balloon');
});

test('an agent that never answers holds up no turn, and is asked no more once the guest is gone', async () => {
  await node.listen({state: 'Running', engine: {'query-chardev': AGENT_OPEN}});
  const asked: AbortSignal[] = [];
  node.agent = signal => {
    asked.push(signal);
    return new Promise(() => {});
  };
  await node.turn();
  await node.turn();
  expect(node.vmi?.status?.phase).toBe('Running');
  expect(conditionOf(node.vmi, 'AgentConnected')).toBeUndefined();
  expect(asked).toHaveLength(1);
  node.vmi = undefined;
  await node.turn();
  expect(asked[0]?.aborted).toBe(true);
});
