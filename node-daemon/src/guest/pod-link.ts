/** The daemon's hold on one pod: a connection to its launcher, and a pidfd that outlives it. */
import {Socket} from 'node:net';
import {PodLayout} from '@wherry/api';
import {type Dir, type Host, isNativeError, type PeerCredentials, type UnixConnection} from '@wherry/native';
import type {Engine, EngineKind, RunState} from '../engine/engine.ts';
import {DaemonError} from '../errors.ts';
import {LauncherConnection} from '../launcher/connection.ts';
import {openPodFolder} from '../launcher/pod-folder.ts';
import type {NumberedEvent} from '../launcher/shapes.ts';
import {TokenBucket} from '../launcher/token-bucket.ts';
import type {Log} from '../log.ts';
import {afterEvent, connected, type LauncherView, type PauseCause} from './launcher-view.ts';

export interface PodLinkOptions {
  readonly host: Host;
  readonly engine: EngineKind;
  /** The kubelet's folder of pods. */
  readonly pods: string;
  readonly podUid: string;
  /** What is wrong with the process behind a socket; undefined when it is a launcher. */
  readonly peerProblem: (peer: PeerCredentials) => string | undefined;
  /** Whether a process of the pod still lives, by the kernel's account. */
  readonly podHasProcesses: (podUid: string) => Promise<boolean>;
  /** The view may have changed, and is to be looked at after so many milliseconds. Called from events; must not throw. */
  readonly onChange: (afterMs: number) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Local, never set back, in milliseconds. */
  readonly monotonic: () => number;
  /** For one answer of the launcher, in milliseconds. Defaults to the connection's own. */
  readonly timeoutMs?: number;
  readonly log: Log;
}

/** A launcher that answers. */
interface Held {
  readonly connection: LauncherConnection;
  /** What came before its status was known; undefined from then on. */
  early: NumberedEvent[] | undefined;
}

/** A launcher that hangs up at once is not asked again at once: it could keep the daemon busy with nothing else. */
const SHORT_LIFE_MS = 10_000;
const RECONNECT_MS = {first: 500, most: 8000};

/** News beyond these are looked at together: each look costs a turn, and a launcher may have something new to say for ever. */
const NEWS = {burst: 20, perSecond: 5};
const NEWS_LATER_MS = 200;

/** More than a launcher can have to say in the milliseconds of an introduction. */
const MAX_EARLY = 1024;

interface Process {
  readonly pid: number;
  readonly pidfd: number;
}

export class PodLink {
  readonly podUid: string;
  readonly #options: PodLinkOptions;
  #view: LauncherView = {at: 'unknown'};
  #held: Held | undefined;
  #process: Process | undefined;
  /** When the last connection was made, and when the next one may be. */
  #since = 0;
  #notBefore = 0;
  #reconnectMs = RECONNECT_MS.first;
  #planned = false;
  readonly #news: TokenBucket;

  constructor(options: PodLinkOptions) {
    this.podUid = options.podUid;
    this.#options = options;
    this.#news = new TokenBucket({...NEWS, monotonic: options.monotonic});
  }

  get view(): LauncherView {
    return this.#view;
  }

  /** @throws DaemonError CONNECTION_CLOSED while there is none */
  get connection(): LauncherConnection {
    if (this.#held === undefined || this.#held.early !== undefined)
      throw new DaemonError('CONNECTION_CLOSED', 'the launcher is not connected');
    return this.#held.connection;
  }

  /** The engine behind the launcher. @throws DaemonError CONNECTION_CLOSED while there is none */
  get engine(): Engine {
    return this.#options.engine.attach(this.connection);
  }

  /** The launcher's process. @throws DaemonError CONNECTION_CLOSED before it was ever connected */
  get process(): Process {
    if (this.#process === undefined) throw new DaemonError('CONNECTION_CLOSED', 'the launcher was never connected');
    return this.#process;
  }

  /** The launcher was met, and its process lives. */
  get alive(): boolean {
    return this.#process !== undefined && this.#options.host.pidfdAlive(this.#process.pidfd);
  }

  /** The pod's sockets folder; the caller closes it. Undefined when the kubelet has removed it. */
  folder(): Dir | undefined {
    return openPodFolder(this.#options.host, this.#options.pods, this.podUid);
  }

  /** Connects where there is no connection, or finds out that there never will be one again. */
  async refresh(): Promise<LauncherView> {
    if (this.#view.at === 'gone' || this.#held?.connection.open === true) return this.#view;
    if (this.#process !== undefined && !this.#options.host.pidfdAlive(this.#process.pidfd))
      return this.#gone('EngineExited', this.#lastWords() ?? 'the launcher has ended');
    using folder = this.folder();
    if (folder === undefined) return this.#withoutFolder();
    if (this.#options.monotonic() < this.#notBefore) return this.#view;
    const socket = this.#connect(folder);
    this.#view = socket === undefined ? {at: 'silent'} : await this.#meet(socket);
    return this.#view;
  }

  /** The launcher has taken a plan: its events say how far it is. */
  planned(): void {
    this.#planned = true;
    if (this.#view.at !== 'connected') return;
    const {state} = this.#view;
    this.#view = {...this.#view, planned: true, state: state === 'Idle' ? 'Preparing' : state};
  }

  /** Ends the connection, so that the next refresh asks the launcher for everything again. */
  disconnect(): void {
    const held = this.#held;
    this.#held = undefined;
    if (this.#view.at === 'connected') this.#view = {at: 'silent'};
    held?.connection.close();
  }

  /** That the folder is missing could be a wrong setting; the kernel must say that the pod has no process either. */
  async #withoutFolder(): Promise<LauncherView> {
    if (!(await this.#options.podHasProcesses(this.podUid)))
      return this.#gone('PodGone', 'the kubelet has removed the pod of the guest');
    this.#options.log.warn({pod: this.podUid}, 'pod has processes, but no folder among those of the kubelet');
    this.#view = {at: 'silent'};
    return this.#view;
  }

  /** Lets go of the launcher, which does not care. */
  close(): void {
    this.#held?.connection.close();
    this.#held = undefined;
    if (this.#process !== undefined) this.#options.host.close(this.#process.pidfd);
    this.#process = undefined;
  }

  /** Undefined while nobody listens: not yet, or not any more. */
  #connect(folder: Dir): UnixConnection | undefined {
    try {
      return this.#options.host.connectUnix(folder, PodLayout.launcherSocket);
    } catch (error) {
      if (isNativeError(error, 'NotFound', 'Refused', 'Busy')) return undefined;
      throw error;
    }
  }

  async #meet({fd, peer}: UnixConnection): Promise<LauncherView> {
    this.#process ??= this.#processBehind(fd, peer);
    const held: Held = {
      early: [],
      connection: new LauncherConnection(new Socket({fd, readable: true, writable: true}), {
        onEvent: event => this.#event(held, event),
        onClose: error => this.#closed(held, error),
        monotonic: this.#options.monotonic,
        ...(this.#options.timeoutMs === undefined ? {} : {timeoutMs: this.#options.timeoutMs}),
      }),
    };
    this.#held = held;
    this.#since = this.#options.monotonic();
    try {
      return await this.#introduce(held);
    } catch (error) {
      // The caller is told by the error, and not by an event as well.
      if (this.#held === held) this.#held = undefined;
      held.connection.close();
      throw error;
    }
  }

  /** The first one that served the socket stands for the pod; a later one could be anybody in it. */
  #processBehind(socketFd: number, peer: PeerCredentials): Process {
    const {host, peerProblem} = this.#options;
    let pidfd: number | undefined;
    try {
      pidfd = host.peerPidfd(socketFd);
      const problem = peerProblem(peer);
      if (problem !== undefined) throw new DaemonError('PROTOCOL', `the launcher's socket is not its own: ${problem}`);
      return {pid: peer.pid, pidfd};
    } catch (error) {
      if (pidfd !== undefined) host.close(pidfd);
      host.close(socketFd);
      throw error;
    }
  }

  /** Subscribed before the status is asked for, so that nothing falls between the two. */
  async #introduce(held: Held): Promise<LauncherView> {
    const {connection} = held;
    const hello = await connection.hello();
    await connection.subscribe(hello.lastSeq + 1);
    const status = await connection.status();
    let view = connected(hello, status, this.#planned);
    if (status.state === 'Running') view = {...view, ...(await this.#missed(connection))};
    const early = (held.early ?? []).filter(({seq}) => seq > status.lastSeq);
    held.early = undefined;
    return early.reduce<LauncherView>((known, {event}) => afterEvent(known, event), view);
  }

  /** What events would have told, had anybody listened. */
  async #missed(connection: LauncherConnection): Promise<{paused: PauseCause | undefined; agent: boolean}> {
    const {state, agent} = await this.#options.engine.attach(connection).describe();
    return {paused: pauseCauses[state], agent};
  }

  #event(held: Held, numbered: NumberedEvent): void {
    if (held.early !== undefined) {
      if (held.early.push(numbered) > MAX_EARLY) held.connection.close();
      return;
    }
    const before = this.#view;
    this.#view = afterEvent(before, numbered.event);
    if (this.#view !== before) this.#changed();
  }

  #closed(held: Held, error: DaemonError | undefined): void {
    if (this.#held !== held) return;
    this.#held = undefined;
    if (error !== undefined)
      this.#options.log.warn({pod: this.podUid, err: error}, 'launcher connection ended by a fault');
    if (this.#view.at === 'connected') this.#view = {at: 'silent', ...said(this.#view.ending)};
    const now = this.#options.monotonic();
    if (now - this.#since < SHORT_LIFE_MS) {
      this.#notBefore = now + this.#reconnectMs;
      this.#reconnectMs = Math.min(2 * this.#reconnectMs, RECONNECT_MS.most);
    } else this.#reconnectMs = RECONNECT_MS.first;
    if (held.early === undefined) this.#changed();
  }

  #changed(): void {
    this.#options.onChange(this.#news.take(1) ? 0 : NEWS_LATER_MS);
  }

  #lastWords(): string | undefined {
    return this.#view.at === 'silent' ? this.#view.ending : undefined;
  }

  #gone(why: 'EngineExited' | 'PodGone', message: string): LauncherView {
    this.close();
    this.#view = {at: 'gone', why, message, since: this.#options.now()};
    return this.#view;
  }
}

const pauseCauses: Partial<Readonly<Record<RunState, PauseCause>>> = {paused: 'user', ioError: 'ioError'};

const said = (ending: string | undefined): {ending?: string} => (ending === undefined ? {} : {ending});
