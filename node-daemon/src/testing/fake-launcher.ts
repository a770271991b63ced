/** A launcher that plays its part on a real socket in a real folder, as the kubelet would have laid it out. */
import {closeSync, mkdirSync, mkdtempSync, openSync, rmSync} from 'node:fs';
import {createServer, type Server, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type LauncherEvent, type LauncherState, PodLayout} from '@wherry/api';
import {encodeFrame, FrameDecoder, type JsonObject} from '../launcher/frames.ts';

/** A folder that stands for the kubelet's, with one pod in it. */
export class FakePod {
  readonly pods: string = mkdtempSync(join(tmpdir(), 'wherry-pods-'));
  readonly uid: string;
  readonly folder: string;

  constructor(uid: string) {
    this.uid = uid;
    this.folder = join(this.pods, uid, 'volumes/kubernetes.io~empty-dir', PodLayout.socketsVolume);
    mkdirSync(this.folder, {recursive: true});
  }

  /** What the kubelet does when all containers of the pod have ended. */
  remove(): void {
    rmSync(join(this.pods, this.uid), {recursive: true});
  }

  [Symbol.dispose](): void {
    rmSync(this.pods, {recursive: true, force: true});
  }
}

/** Listens where a launcher does. */
export const listenIn = async (pod: FakePod, server: Server): Promise<void> => {
  const {promise, resolve, reject} = Promise.withResolvers<void>();
  server.once('error', reject);
  // The whole path is longer than a socket's address may be.
  const folder = openSync(pod.folder, 'r');
  try {
    server.listen(`/proc/self/fd/${folder}/${PodLayout.launcherSocket}`, resolve);
    await promise;
  } finally {
    closeSync(folder);
  }
};

export interface FakeLauncherOptions {
  /** Uid of the instance that it says it serves. */
  readonly uid: string;
  readonly state: LauncherState;
  /** Answers of the engine by QMP command. */
  readonly engine?: Readonly<Record<string, unknown>>;
}

const defaultEngine = {
  'query-status': {running: true, status: 'running'},
  'query-chardev': [],
  'query-version': {qemu: {major: 10, minor: 0, micro: 13}, package: ''},
};

export class FakeLauncher {
  state: LauncherState;
  /** The engine gives no answer. */
  hangs = false;
  /** Names of all requests so far. */
  readonly asked: string[] = [];
  /** QMP commands so far. */
  readonly commands: string[] = [];
  readonly #options: FakeLauncherOptions;
  readonly #server: Server;
  readonly #peers = new Set<Socket>();
  #seq = 0;

  private constructor(options: FakeLauncherOptions) {
    this.#options = options;
    this.state = options.state;
    this.#server = createServer(socket => this.#serve(socket));
  }

  static async listen(pod: FakePod, options: FakeLauncherOptions): Promise<FakeLauncher> {
    const launcher = new FakeLauncher(options);
    await listenIn(pod, launcher.#server);
    return launcher;
  }

  /** Connections that are open now. */
  get peers(): number {
    return this.#peers.size;
  }

  emit(event: LauncherEvent): void {
    if (event.type === 'state') this.state = event.state;
    this.say({seq: ++this.#seq, at: 0, event});
  }

  /** Sends anything to everybody. */
  say(frame: object): void {
    for (const peer of this.#peers) peer.write(encodeFrame(frame));
  }

  /** Ends all connections, as a launcher that finds fault with them does. */
  hangUp(): void {
    for (const peer of this.#peers) peer.destroy();
  }

  async close(): Promise<void> {
    this.hangUp();
    const {promise, resolve} = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }

  #serve(socket: Socket): void {
    this.#peers.add(socket);
    socket.on('close', () => this.#peers.delete(socket));
    socket.on('error', () => {});
    const decoder = new FrameDecoder();
    socket.on('data', (chunk: Buffer) => {
      for (const request of decoder.push(chunk))
        if (request['op'] !== 'engine' || !this.hangs)
          socket.write(encodeFrame({id: request['id'], ok: this.#answer(request)}));
    });
  }

  #answer(request: JsonObject): object {
    const op = String(request['op']);
    this.asked.push(op);
    switch (op) {
      case 'hello':
        return {protocol: 1, version: 'test', uid: this.#options.uid, state: this.state, lastSeq: this.#seq};
      case 'status':
        return {state: this.state, lastSeq: this.#seq, leases: []};
      case 'subscribe':
        return {first: this.#seq + 1};
      case 'engine': {
        const {execute} = request['command'] as {execute: string};
        this.commands.push(execute);
        const engine: Readonly<Record<string, unknown>> = {...defaultEngine, ...this.#options.engine};
        return {reply: {return: engine[execute] ?? {}}};
      }
      default:
        return {};
    }
  }
}
