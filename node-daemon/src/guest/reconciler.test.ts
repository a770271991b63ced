import {existsSync} from 'node:fs';
import {afterEach, beforeEach, expect, test as always} from '@jest/globals';
import type {InstanceStatus, VirtualMachineInstance} from '@wherry/api';
import {systemClock} from '@wherry/kube';
import {libraryPath, loadHost, type PeerCredentials} from '@wherry/native';
import {qemuKind} from '../engine/qemu/qemu-kind.ts';
import {DaemonError} from '../errors.ts';
import {FakeLauncher, type FakeLauncherOptions, FakePod} from '../testing/fake-launcher.ts';
import {instance, UID} from '../testing/instances.ts';
import {quietLog} from '../testing/quiet-log.ts';
import {GuestReconciler} from './reconciler.ts';
import type {AgentFacts} from './status.ts';

const built = existsSync(libraryPath());
if (!built) console.log('guests are not reconciled: libwherry.so is missing, build it with cargo build --release');
const test = built ? always : always.skip;

const POD = '11111111-2222-4333-8444-555555555555';
const KEY = {namespace: 'default', name: 'guest'};
const AGENT_OPEN = [{label: 'agent', 'frontend-open': true, filename: ''}];

/** A node with one pod, and an API that holds one instance and keeps what is written. */
class Node implements AsyncDisposable {
  readonly pod = new FakePod(POD);
  vmi: VirtualMachineInstance | undefined;
  readonly writes: InstanceStatus[] = [];
  readonly told: string[] = [];
  started = 0;
  /** The kernel knows processes of the pod. */
  processes = false;
  woken = 0;
  now = 1_000_000;
  agent: (signal: AbortSignal) => Promise<AgentFacts> = async () => ({os: {id: 'debian'}, interfaceNames: new Map()});
  onStart: () => Promise<void> = async () => {};
  peerProblem: (peer: PeerCredentials) => string | undefined = () => undefined;
  launcher: FakeLauncher | undefined;
  reconciler: GuestReconciler;

  constructor(status: InstanceStatus) {
    this.vmi = instance({status: {nodeName: 'n1', activePods: {[POD]: 'n1'}, ...status}});
    this.reconciler = this.newReconciler();
  }

  newReconciler(): GuestReconciler {
    return new GuestReconciler({
      node: 'n1',
      instances: {
        get: () => this.vmi,
        patchStatus: async (vmi, status) => {
          this.writes.push(status);
          this.vmi = {...vmi, status: {...vmi.status, ...status}};
        },
      },
      start: () => {
        this.started++;
        return this.onStart();
      },
      sources: {
        podNetwork: async () => ({addresses: ['10.244.1.7'], mtu: 1450}),
        agent: (_folder, signal) => this.agent(signal),
      },
      link: {
        host: loadHost(),
        engine: qemuKind,
        pods: this.pod.pods,
        peerProblem: peer => this.peerProblem(peer),
        podHasProcesses: async () => this.processes,
      },
      wake: () => this.woken++,
      tell: (_vmi, what) => this.told.push(what),
      clock: {...systemClock, now: () => this.now, monotonic: () => this.now},
      log: quietLog,
    });
  }

  async listen(options: Partial<FakeLauncherOptions> = {}): Promise<FakeLauncher> {
    this.launcher = await FakeLauncher.listen(this.pod, {uid: UID, state: 'Idle', ...options});
    return this.launcher;
  }

  turn() {
    return this.reconciler.reconcile(KEY, new AbortController().signal);
  }

  /** Waits for something that comes by an event. */
  async until(holds: () => boolean): Promise<void> {
    const end = Date.now() + 2000;
    while (!holds()) {
      if (Date.now() > end) throw new Error(`never: ${holds.toString()}`);
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reconciler.close();
    await this.launcher?.close();
    this.pod[Symbol.dispose]();
  }
}

let node: Node;
beforeEach(() => {
  if (built) node = new Node({phase: 'Scheduled'});
});
afterEach(async () => {
  if (built) await node[Symbol.asyncDispose]();
});

const conditionOf = (vmi: VirtualMachineInstance | undefined, type: string) =>
  vmi?.status?.conditions?.find(one => one.type === type);

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
  expect(node.told).toEqual(['Started']);
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

test('an engine that this version lacks is refused by name', async () => {
  await node.listen();
  node.vmi = {...node.vmi!, metadata: {...node.vmi!.metadata, annotations: {'wherry.dev/engine': 'native'}}};
  await expect(node.turn()).rejects.toMatchObject({code: 'UNSUPPORTED_MACHINE'});
  expect(conditionOf(node.vmi, 'Synchronized')?.message).toMatch(/asks for the engine native/);
  expect(node.started).toBe(0);
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
  expect(node.told).toEqual(['Started', 'Paused', 'Resumed']);
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

test('a guest that its engine stopped for a failed disk is not resumed, and says why it stands', async () => {
  const launcher = await node.listen({
    state: 'Running',
    engine: {
      'query-status': {status: 'io-error', running: false},
      'query-block': [{device: '', qdev: '/machine/peripheral/disk-data/virtio-backend', 'io-status': 'nospace'}],
    },
  });
  node.vmi = annotated('false');
  await node.turn();
  expect(launcher.commands).not.toContain('cont');
  expect(conditionOf(node.vmi, 'Paused')).toMatchObject({
    status: 'True',
    reason: 'PausedIOError',
    message: expect.stringContaining('the volume data is full'),
  });
  expect(node.told).toContain('IOerror');
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
