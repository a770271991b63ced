/** What the tests of this package share. */

import {execFileSync} from 'node:child_process';
import {closeSync, existsSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync} from 'node:fs';
import {createServer, type Server, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from '@jest/globals';
import koffi from 'koffi';
import {libraryPath} from './load.ts';

const say = (reason: string): void => {
  process.stderr.write(`skipped: ${reason}\n`);
};

const built = existsSync(libraryPath());
if (!built) say(`${libraryPath()} is not built (cargo build --release -p wherry-ffi)`);
/** A test that needs the library. */
export const testNative = built ? test : test.skip;

const mayMakeNetns = ((): boolean => {
  const name = `wherry-probe-${process.pid}`;
  try {
    execFileSync('ip', ['netns', 'add', name], {stdio: 'pipe'});
    execFileSync('ip', ['netns', 'del', name], {stdio: 'pipe'});
    return true;
  } catch {
    return false;
  }
})();
if (!mayMakeNetns) say('this user may not make network namespaces (needs root and iproute2)');
/** A test that needs the library and a network namespace of its own. */
export const testNetns = built && mayMakeNetns ? test : test.skip;

const mayMakeTaps = ((): boolean => {
  try {
    closeSync(openSync('/dev/net/tun', 'r+'));
    return true;
  } catch {
    return false;
  }
})();
if (!mayMakeTaps) say('this user may not open /dev/net/tun');
/** A test that needs the library, a network namespace and a tap in it. */
export const testTap = mayMakeTaps ? testNetns : test.skip;

/** A network namespace for the time of a `using` block. */
export class TestNetns implements Disposable {
  readonly name = `wherry-ts-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  readonly fd: number;

  constructor() {
    execFileSync('ip', ['netns', 'add', this.name]);
    this.fd = openSync(`/run/netns/${this.name}`, 'r');
  }

  /** Runs `ip` inside and returns what it printed. */
  ip(...args: readonly string[]): string {
    return execFileSync('ip', ['-n', this.name, ...args], {encoding: 'utf8'});
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
    execFileSync('ip', ['netns', 'del', this.name]);
  }
}

/** A folder for the time of a `using` block. */
export class TestFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'wherry-native-'));

  join(...parts: readonly string[]): string {
    return join(this.path, ...parts);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, {recursive: true});
  }
}

/** A listener for the time of an `await using` block; its connections are cut at the end. */
export class TestServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', socket => this.#sockets.add(socket));
  }

  static async listen(path: string, onConnection: (socket: Socket) => void): Promise<TestServer> {
    const server = createServer(onConnection);
    const made = new TestServer(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }
}

/** Open descriptors of this process by what they are, without those that Node.js opens when it likes (its event loop's). */
export const openDescriptors = (): readonly string[] =>
  readdirSync('/proc/self/fd')
    .map(fd => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return ''; // the descriptor of this very listing
      }
    })
    .filter(target => target !== '' && !target.startsWith('anon_inode:[event') && !target.startsWith('/proc/'))
    .map(target => target.replace(/\[\d+\]/, ''))
    .toSorted();

/** A frame of the launcher protocol: 4 bytes of length, then the text. */
export const frameOf = (text: string): Buffer => {
  const body = Buffer.from(text);
  const frame = Buffer.alloc(4 + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, 4);
  return frame;
};

/** `struct iovec` and `struct msghdr` of recvmsg(2). */
const iovec = koffi.struct({base: 'uint8_t *', length: 'size_t'});
const msghdr = koffi.struct({
  name: 'void *',
  nameLength: 'uint32_t',
  parts: koffi.pointer(iovec),
  partCount: 'size_t',
  control: 'uint8_t *',
  controlLength: 'size_t',
  flags: 'int',
});

/** Sends bytes with descriptors (SCM_RIGHTS), as a hostile peer may: Node.js itself cannot. */
export const sendWithDescriptors = (socket: number, bytes: Buffer, fds: readonly number[]): void => {
  const control = Buffer.alloc(16 + 8 * Math.ceil(fds.length / 2));
  control.writeBigUInt64LE(BigInt(16 + 4 * fds.length));
  control.writeInt32LE(constants.SOL_SOCKET, 8);
  control.writeInt32LE(constants.SCM_RIGHTS, 12);
  for (const [at, fd] of fds.entries()) control.writeInt32LE(fd, 16 + 4 * at);
  const parts = [{base: bytes, length: bytes.length}];
  const message = {name: null, nameLength: 0, parts, partCount: 1, control, controlLength: control.length, flags: 0};
  const sendmsg = koffi.load(null).func('sendmsg', 'int64_t', ['int', koffi.pointer(msghdr), 'int']);
  const sent = Number(sendmsg(socket, message, 0));
  if (sent !== bytes.length) throw new Error(`sendmsg sent ${sent} of ${bytes.length} bytes`);
};

const constants = {SOL_SOCKET: 1, SCM_RIGHTS: 1};
