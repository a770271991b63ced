import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {Socket} from 'node:net';
import {expect} from '@jest/globals';
import {loadHost} from './load.ts';
import {frameOf, openDescriptors, TestFolder, TestServer, testNative} from './testing.ts';

const failing = (code: string) => expect.objectContaining({code});

testNative('a folder opens folders below and nothing outside', () => {
  const host = loadHost();
  using folder = new TestFolder();
  mkdirSync(folder.join('pod/volumes'), {recursive: true});
  symlinkSync('/etc', folder.join('pod/link'));
  using dir = host.openDir(folder.join('pod'));
  using below = dir.open('volumes');
  expect(below.path).toBe(folder.join('pod/volumes'));
  expect(dir.exists('volumes')).toBe(true);
  expect(dir.exists('link')).toBe(true);
  expect(below.exists('launcher.sock')).toBe(false);
  expect(() => dir.open('link')).toThrow(failing('Escapes'));
  expect(() => dir.open('..')).toThrow(failing('Escapes'));
  expect(() => dir.open('absent')).toThrow(failing('NotFound'));
  expect(() => dir.exists('../pod')).toThrow(failing('InvalidArgument'));
});

testNative('a closed folder says so, and closing again does nothing', () => {
  const dir = loadHost().openDir('/tmp');
  dir.close();
  dir.close();
  expect(() => dir.exists('x')).toThrow(failing('Closed'));
  expect(() => dir.fd).toThrow(failing('Closed'));
});

testNative('a connection is an ordinary socket of Node.js and knows its peer', async () => {
  const host = loadHost();
  using folder = new TestFolder();
  await using _server = await TestServer.listen(folder.join('s'), socket => socket.pipe(socket));
  using dir = host.openDir(folder.path);
  const {fd, peer} = host.connectUnix(dir, 's');
  expect(peer).toEqual({pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.()});
  const pidfd = host.peerPidfd(fd);
  expect(host.pidfdAlive(pidfd)).toBe(true);
  host.close(pidfd);
  const socket = new Socket({fd, readable: true, writable: true});
  socket.end('hello');
  const heard: Buffer[] = [];
  for await (const chunk of socket) heard.push(chunk as Buffer);
  expect(Buffer.concat(heard).toString()).toBe('hello');
});

testNative('a socket that is not there, dead or no socket is told apart', () => {
  const host = loadHost();
  using folder = new TestFolder();
  writeFileSync(folder.join('file'), '');
  symlinkSync('file', folder.join('link'));
  using dir = host.openDir(folder.path);
  expect(() => host.connectUnix(dir, 'absent')).toThrow(failing('NotFound'));
  expect(() => host.connectUnix(dir, 'file')).toThrow(failing('WrongType'));
  expect(() => host.connectUnix(dir, 'link')).toThrow(failing('Escapes'));
});

testNative('a frame is handed over and its answer comes back', async () => {
  const host = loadHost();
  using folder = new TestFolder();
  await using _server = await TestServer.listen(folder.join('s'), socket => {
    socket.once('data', (frame: Buffer) => socket.end(frameOf(`heard ${frame.toString('utf8', 4)}`)));
  });
  using dir = host.openDir(folder.path);
  const file = openSync('/dev/null', 'r');
  const answer = host.handOver(dir, 's', frameOf('start'), [file, file]);
  // Closed while the hand-over is still at work: it holds copies.
  closeSync(file);
  expect(Buffer.from(await answer)).toEqual(frameOf('heard start'));
});

testNative('silent peers cost their callers time-outs and nobody else anything', async () => {
  const host = loadHost();
  using folder = new TestFolder();
  await using _server = await TestServer.listen(folder.join('s'), () => undefined);
  using dir = host.openDir(folder.path);
  const calls = Array.from({length: 16}, async () => host.handOver(dir, 's', frameOf('{}'), [], {timeoutMs: 600}));
  const settled = Promise.allSettled(calls);
  const begun = performance.now();
  await Promise.all(Array.from({length: 8}, async () => readFile('/etc/passwd')));
  expect(performance.now() - begun).toBeLessThan(400);
  for (const result of await settled) {
    expect(result).toEqual({status: 'rejected', reason: failing('TimedOut')});
  }
});

testNative('what cannot be handed over is refused', async () => {
  const host = loadHost();
  using folder = new TestFolder();
  await using _server = await TestServer.listen(folder.join('s'), socket => socket.destroy());
  using dir = host.openDir(folder.path);
  const tooMany = Array.from({length: 129}, () => 0);
  await expect(host.handOver(dir, 's', frameOf('{}'), tooMany)).rejects.toThrow(failing('InvalidArgument'));
  await expect(host.handOver(dir, 's', frameOf('{}'), [99_999])).rejects.toThrow(failing('InvalidArgument'));
  await expect(host.handOver(dir, 's', Buffer.from('{}'), [])).rejects.toThrow(failing('InvalidArgument'));
  await expect(host.handOver(dir, 'absent', frameOf('{}'), [])).rejects.toThrow(failing('NotFound'));
  await expect(host.handOver(dir, 's', frameOf('{}'), [], {peerUid: 4711})).rejects.toThrow(
    failing('PermissionDenied'),
  );
  await expect(host.handOver(dir, 's', frameOf('{}'), [])).rejects.toThrow(failing('PeerClosed'));
});

testNative('a pidfd outlives the number of its process', async () => {
  const host = loadHost();
  const child = spawn('cat', {stdio: 'pipe'});
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const pidfd = host.pidfdOpen(pid);
  const netns = host.netnsOf({pid, pidfd});
  host.close(netns);
  expect(host.pidfdAlive(pidfd)).toBe(true);
  child.stdin.end();
  await once(child, 'close');
  expect(host.pidfdAlive(pidfd)).toBe(false);
  expect(() => host.netnsOf({pid, pidfd})).toThrow(failing('ProcessGone'));
  expect(() => host.pidfdOpen(pid)).toThrow(failing('ProcessGone'));
  host.close(pidfd);
});

testNative('a process that started at another time is another process', () => {
  const host = loadHost();
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const startTime = BigInt(fields[22 - 3] ?? 0);
  host.close(host.pidfdOpen(process.pid, startTime));
  expect(() => host.pidfdOpen(process.pid, startTime + 1n)).toThrow(failing('ProcessGone'));
});

testNative('only devices that guests may be given are opened', () => {
  const host = loadHost();
  expect(() => host.openDevice('/dev/mem' as '/dev/kvm')).toThrow(failing('InvalidArgument'));
});

testNative('standard descriptors and closed ones are not closed', () => {
  const host = loadHost();
  for (const fd of [0, 1, 2, -1, 99_999]) expect(() => host.close(fd)).toThrow(failing('InvalidArgument'));
});

testNative('no call leaves a descriptor behind, whether it succeeds or fails', async () => {
  const host = loadHost();
  using folder = new TestFolder();
  mkdirSync(folder.join('sub'));
  writeFileSync(folder.join('file'), '');
  await using _server = await TestServer.listen(folder.join('s'), socket => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(frameOf('{}')));
  });
  const everything = async (): Promise<void> => {
    using dir = host.openDir(folder.path);
    dir.open('sub').close();
    expect(() => dir.open('file')).toThrow();
    expect(() => host.connectUnix(dir, 'file')).toThrow();
    host.close(host.connectUnix(dir, 's').fd);
    await host.handOver(dir, 's', frameOf('{}'), [0, 1, 2]);
    await expect(host.handOver(dir, 'file', frameOf('{}'), [0, 1])).rejects.toThrow();
    await expect(host.handOver(dir, 's', frameOf('{}'), [0, 99_999])).rejects.toThrow();
    host.close(host.pidfdOpen(process.pid));
    expect(() => host.pidfdOpen(process.pid, 1n)).toThrow();
    await expect(host.linkInfo(dir.fd, 'lo')).rejects.toThrow(failing('WrongType'));
  };
  await everything();
  const before = openDescriptors().filter(target => !target.startsWith('socket:'));
  for (let round = 0; round < 20; round += 1) await everything();
  expect(openDescriptors().filter(target => !target.startsWith('socket:'))).toEqual(before);
});

testNative('KVM tells its version and capabilities, or that it is absent', () => {
  const host = loadHost();
  try {
    const {apiVersion, capabilities} = host.kvm();
    expect(apiVersion).toBe(12);
    expect(capabilities.nrMemslots).toBeGreaterThanOrEqual(32);
  } catch (error) {
    expect(['NotFound', 'PermissionDenied', 'WrongType']).toContain((error as {code: string}).code);
  }
});
