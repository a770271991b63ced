/** A launcher that does as a script says, which need not be what any launcher does. */
import {createServer, type Server, type Socket} from 'node:net';
import {encodeFrame, FrameDecoder, type JsonObject} from '../launcher/frames.ts';
import {type FakePod, listenIn} from './fake-launcher.ts';

export interface Peer {
  readonly socket: Socket;
  /** Sends any bytes. */
  readonly send: (bytes: Uint8Array) => void;
  /** Sends a whole frame. */
  readonly say: (message: object) => void;
}

export interface Script {
  readonly onConnect?: (peer: Peer) => void;
  /** What is said instead of an honest answer; nothing where it returns `silence`, the honest one where undefined. */
  readonly onRequest?: (request: JsonObject, peer: Peer) => object | 'silence' | undefined;
  /** Uid of the instance that it says it serves. */
  readonly uid: string;
}

const engineAnswers: Readonly<Record<string, unknown>> = {
  'query-status': {running: true, status: 'running'},
  'query-chardev': [],
  'query-version': {qemu: {major: 10, minor: 0, micro: 13}, package: ''},
};

/** What a launcher with a guest that runs would say. */
export const honest = (request: JsonObject, uid: string): object => {
  switch (request['op']) {
    case 'hello':
      return {protocol: 2, version: 'test', uid, state: 'Running', lastSeq: 0};
    case 'status':
      return {state: 'Running', lastSeq: 0, leases: []};
    case 'subscribe':
      return {first: 1};
    case 'engine':
      return {reply: {return: engineAnswers[(request['command'] as {execute: string}).execute] ?? {}}};
    default:
      return {};
  }
};

export class HostileLauncher implements AsyncDisposable {
  /** All connections so far. */
  connections = 0;
  /** Those that are open now. */
  readonly peers = new Set<Peer>();
  readonly #script: Script;
  readonly #server: Server;

  private constructor(script: Script) {
    this.#script = script;
    this.#server = createServer(socket => this.#serve(socket));
  }

  static async listen(pod: FakePod, script: Script): Promise<HostileLauncher> {
    const launcher = new HostileLauncher(script);
    await listenIn(pod, launcher.#server);
    return launcher;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const {socket} of this.peers) socket.destroy();
    const {promise, resolve} = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }

  #serve(socket: Socket): void {
    const send = (bytes: Uint8Array): void => void socket.write(bytes);
    const peer: Peer = {socket, send, say: message => send(encodeFrame(message))};
    this.connections++;
    this.peers.add(peer);
    socket.on('close', () => this.peers.delete(peer));
    socket.on('error', () => {});
    const decoder = new FrameDecoder();
    socket.on('data', (chunk: Buffer) => {
      for (const request of decoder.push(chunk)) this.#answer(request, peer);
    });
    this.#script.onConnect?.(peer);
  }

  #answer(request: JsonObject, peer: Peer): void {
    const answer = this.#script.onRequest?.(request, peer);
    if (answer === 'silence') return;
    peer.say(answer ?? {id: request['id'], ok: honest(request, this.#script.uid)});
  }
}
