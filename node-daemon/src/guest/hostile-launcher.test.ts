/** A launcher that its guest has taken over, beside an honest one on the same daemon. */
import {execFileSync} from 'node:child_process';
import {mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {setImmediate as turnOfTheLoop} from 'node:timers/promises';
import {afterEach, beforeEach, expect} from '@jest/globals';
import {PodLayout} from '@wherry/api';
import {encodeFrame} from '../launcher/frames.ts';
import {peerProblem} from '../launcher/peer.ts';
import {HostileLauncher, type Peer, type Script} from '../testing/hostile-launcher.ts';
import {UID} from '../testing/instances.ts';
import {built, Node, testBuilt as test} from '../testing/node.ts';

let node: Node;
/** The honest guest beside it. */
let other: Node;
beforeEach(() => {
  if (!built) return;
  node = new Node({phase: 'Scheduled'});
  other = new Node({phase: 'Scheduled'});
});
afterEach(async () => {
  if (!built) return;
  await node[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

const listen = (script: Omit<Script, 'uid'>): Promise<HostileLauncher> =>
  HostileLauncher.listen(node.pod, {uid: UID, ...script});

/** Descriptors of this process that lead to sockets or to processes. */
const descriptors = (): number =>
  readdirSync('/proc/self/fd').filter(fd => {
    try {
      return /^socket:|pidfd/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false; // that of this very listing
    }
  }).length;

const socketPath = (): string => join(node.pod.folder, PodLayout.launcherSocket);

const flip = (seq: number): Uint8Array =>
  encodeFrame({seq, at: 1, event: {type: 'engine', qmp: {event: seq % 2 === 0 ? 'STOP' : 'RESUME'}}});

/** Whether the honest guest is served: found, reported, and its news heard. */
const serveTheOther = async (): Promise<void> => {
  const launcher = await other.listen({state: 'Running'});
  await other.turn();
  expect(other.vmi?.status).toMatchObject({phase: 'Running'});
  launcher.emit({type: 'engine', qmp: {event: 'STOP'}});
  await other.until(() => other.woken > 0);
};

/** The most CPU time that one turn of the event loop takes while `work` goes on, in ms. */
const longestTurn = async (work: Promise<unknown>): Promise<number> => {
  let most = 0;
  const state = {over: false};
  const ended = work.finally(() => {
    state.over = true;
  });
  while (!state.over) {
    const {user, system} = process.threadCpuUsage();
    await turnOfTheLoop();
    const after = process.threadCpuUsage();
    most = Math.max(most, (after.user - user + after.system - system) / 1000);
  }
  await ended;
  return most;
};

test('a flood of events costs the launcher its connection, and the other guest nothing', async () => {
  await using launcher = await listen({});
  await node.turn();
  const [peer] = [...launcher.peers] as [Peer];
  const memory = process.memoryUsage().rss;
  for (let seq = 1; seq <= 50_000; seq++) peer.send(flip(seq));
  const turn = await longestTurn(serveTheOther());
  await node.until(() => launcher.peers.size === 0);
  expect(node.reconciler.guests[0]?.link.view.at).toBe('silent');
  expect(node.woken - node.wokenLater).toBeLessThanOrEqual(25);
  expect(process.memoryUsage().rss - memory).toBeLessThan(256 * 1024 * 1024);
  process.stderr.write(
    `a flood of 50,000 events: the longest turn of the event loop took ${turn.toFixed(1)} ms of CPU\n`,
  );
});

test('news without end are looked at together, a few times a second', async () => {
  await using launcher = await listen({});
  await node.turn();
  const [peer] = [...launcher.peers] as [Peer];
  let seq = 0;
  for (let second = 0; second < 10; second++) {
    node.now += 1000;
    const woken = node.woken;
    for (let n = 0; n < 100; n++) peer.send(flip(++seq));
    await node.until(() => node.woken >= woken + 90);
  }
  expect(launcher.peers.size).toBe(1);
  // Twenty at once, then five a second.
  expect(node.woken - node.wokenLater).toBeLessThanOrEqual(20 + 10 * 5);
  await node.turn();
  expect(node.writes.length).toBeLessThanOrEqual(2);
});

const hello = {protocol: 2, version: 'x', uid: UID, state: 'Running', lastSeq: 0};

/** What it says instead of an answer to hello. */
const lies: [string, (peer: Peer, id: unknown) => void][] = [
  ['a protocol of nobody', (peer, id) => peer.say({id, ok: {...hello, protocol: 99}})],
  ['protocol 0', (peer, id) => peer.say({id, ok: {...hello, protocol: 0}})],
  ['a state of nobody', (peer, id) => peer.say({id, ok: {...hello, state: 'Dancing'}})],
  ['a text of a megabyte', (peer, id) => peer.say({id, ok: {...hello, version: 'x'.repeat(1_000_000)}})],
  ['a list where a text belongs', (peer, id) => peer.say({id, ok: {...hello, uid: [UID]}})],
  [
    'brackets without end',
    (peer, id) => peer.send(framed(`{"id":${String(id)},"ok":${'['.repeat(500_000)}${']'.repeat(500_000)}}`)),
  ],
  [
    'an answer to another id',
    peer => peer.send(Buffer.concat(Array.from({length: 1100}, (_, at) => encodeFrame({id: 500 + at, ok: {}})))),
  ],
  ['an id that is none', peer => peer.say({id: 'one', ok: {}})],
  ['a frame of 4 GiB', peer => peer.send(Buffer.alloc(4, 0xff))],
  ['bytes that are no JSON', peer => peer.send(Buffer.concat([Buffer.from([0, 0, 0, 4]), Buffer.from('{"a"')]))],
  [
    'half a frame',
    peer => {
      peer.send(Buffer.from([0, 0, 1, 0, 0x7b]));
      peer.socket.end();
    },
  ],
  ['nothing, and hangs up', peer => void peer.socket.destroy()],
];

function framed(text: string): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(text.length);
  return Buffer.concat([prefix, Buffer.from(text)]);
}

test.each(lies)('a launcher that answers with %s is left, starts nothing and writes nothing', async (_what, lie) => {
  const before = descriptors();
  {
    await using launcher = await listen({
      onRequest: ({op, id}, peer) => {
        if (op !== 'hello') return undefined;
        lie(peer, id);
        return 'silence';
      },
    });
    await expect(node.turn()).rejects.toMatchObject({
      code: expect.stringMatching(/^(PROTOCOL|CONNECTION_CLOSED)$/),
    });
    await node.until(() => launcher.peers.size === 0);
    expect(node.started).toBe(0);
    expect(node.writes).toEqual([]);
    await serveTheOther();
  }
  node.reconciler.close();
  await other[Symbol.asyncDispose]();
  await node.until(() => descriptors() <= before);
});

test('a launcher that serves another instance is complained of, and touched by nothing', async () => {
  const uid = '00000000-0000-4000-8000-000000000000\u001b[2J';
  await using launcher = await HostileLauncher.listen(node.pod, {uid});
  await node.turn();
  expect(node.told).toEqual(['SyncFailed']);
  expect(node.started).toBe(0);
  expect(node.writes).toEqual([]);
  expect(launcher.peers.size).toBe(1);
});

test('a launcher that takes the plan and denies it gets it once', async () => {
  const idle = {...hello, state: 'Idle'};
  await using launcher = await listen({
    onRequest: ({op, id}) => {
      if (op === 'hello') return {id, ok: idle};
      return op === 'status' ? {id, ok: {state: 'Idle', lastSeq: 0, leases: []}} : undefined;
    },
  });
  await node.turn();
  for (let round = 0; round < 5; round++) {
    for (const {socket, say} of launcher.peers) {
      say({seq: round + 1, at: 1, event: {type: 'state', state: 'Idle'}});
      socket.end();
    }
    await node.until(() => launcher.peers.size === 0);
    node.now += 10_000;
    await node.turn();
  }
  expect(launcher.connections).toBe(6);
  expect(node.started).toBe(1);
});

test('a launcher that hangs up all the time is asked ever more seldom', async () => {
  const before = descriptors();
  {
    await using launcher = await listen({onConnect: ({socket}) => void socket.destroy()});
    for (let ms = 0; ms < 60_000; ms += 100) {
      node.now += 100;
      await node.turn().catch(() => undefined);
    }
    expect(launcher.connections).toBeGreaterThan(3);
    expect(launcher.connections).toBeLessThan(15);
  }
  node.reconciler.close();
  await node.until(() => descriptors() <= before);
});

test('a launcher that never answers holds up its own turn only', async () => {
  await using launcher = await listen({onRequest: () => 'silence'});
  const waits = node.turn();
  await node.until(() => launcher.peers.size === 1);
  await serveTheOther();
  await launcher[Symbol.asyncDispose]();
  await expect(waits).rejects.toMatchObject({code: 'CONNECTION_CLOSED'});
});

test('a launcher that reads nothing is not written to without end', async () => {
  await using launcher = await listen({});
  await node.turn();
  const [peer] = [...launcher.peers] as [Peer];
  peer.socket.pause();
  const {connection} = node.reconciler.guests[0]!.link;
  const asked = Array.from({length: 40}, () => connection.engine({execute: 'x'.repeat(60_000)}));
  const results = await Promise.allSettled(asked);
  expect(results.every(({status}) => status === 'rejected')).toBe(true);
  expect(connection.open).toBe(false);
});

test('what a guest says of itself reaches the status as plain text or not at all', async () => {
  node.agent = async () => ({os: {id: 'debian'}, interfaceNames: new Map([['02:00:00:00:00:01', 'eth0']])});
  const message = 'boot\u001b[31m\ud800';
  await using launcher = await listen({
    onRequest: ({id, op}) => (op === 'hello' ? {id, error: {code: 'BadRequest', message}} : undefined),
  });
  await expect(node.turn()).rejects.toThrow('the launcher refused hello (BadRequest): boot�[31m�');
  expect(launcher.connections).toBe(1);
});

const places: [string, (path: string) => void][] = [
  ['a link to the socket of another pod', path => symlinkSync(join(other.pod.folder, PodLayout.launcherSocket), path)],
  ['a link into the node', path => symlinkSync('/var/run/docker.sock', path)],
  ['a link to nothing', path => symlinkSync('nowhere', path)],
  ['a pipe', path => void execFileSync('mkfifo', [path])],
  ['a folder', path => mkdirSync(path)],
  ['a file', path => writeFileSync(path, 'no socket')],
];

test.each(places)('%s in the place of the socket is no launcher, and is not waited for', async (_what, put) => {
  await other.listen({state: 'Running'});
  const before = descriptors();
  put(socketPath());
  await expect(node.turn()).rejects.toMatchObject({code: expect.stringMatching(/^(Escapes|WrongType)$/)});
  expect(descriptors()).toBe(before);
  expect(other.launcher?.peers).toBe(0);
  rmSync(socketPath(), {recursive: true});
  await node.listen({state: 'Running'});
  await node.turn();
  expect(node.vmi?.status).toMatchObject({phase: 'Running'});
});

test('a folder of sockets that leads elsewhere is not entered', async () => {
  rmSync(node.pod.folder, {recursive: true});
  symlinkSync(other.pod.folder, node.pod.folder);
  await other.listen({state: 'Running'});
  await expect(node.turn()).rejects.toMatchObject({code: 'Escapes'});
  expect(other.launcher?.peers).toBe(0);
});

test('a socket that another process serves is no launcher’s', async () => {
  // This process is the first of no process namespace, and may have another uid.
  node.peerProblem = peerProblem;
  const before = descriptors();
  await using launcher = await listen({});
  await expect(node.turn()).rejects.toThrow(/socket is not its own: it is served by (uid|process)/);
  await node.until(() => launcher.peers.size === 0);
  expect(node.started).toBe(0);
  expect(descriptors()).toBeLessThanOrEqual(before + 1);
});

test('a listener that takes nobody is looked for again', async () => {
  const server = createServer();
  const path = socketPath();
  rmSync(path, {force: true});
  expect(await node.turn()).toEqual({afterMs: 100});
  server.close();
});
