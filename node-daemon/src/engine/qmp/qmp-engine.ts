import {isDaemonError, unsupportedOperation} from '../../errors.ts';
import type {LauncherConnection} from '../../launcher/connection.ts';
import type {
  Engine,
  EngineDescription,
  EngineName,
  EngineOperation,
  EngineStats,
  FailedDisk,
  GuestMemory,
  RunState,
} from '../engine.ts';
import {fieldsOf, listOf, qmp, type ReturnOf} from './qmp.ts';
import {diskCounters, failedDisks, guestMemory, vcpuThreads} from './stats.ts';

/** Seconds between two questions of the balloon to the guest. */
const BALLOON_INTERVAL = 10;

/** In what engines that speak QMP differ. */
export interface Dialect {
  readonly name: EngineName;
  /** For people. */
  readonly label: string;
  /** Three numbers with dots. */
  version(answer: ReturnOf<'query-version'>): string;
  /** Label of the character device of the guest agent; undefined where guests have no channel for one. */
  readonly agentChardev?: string;
  /** QOM path of the balloon; undefined where guests have none. */
  readonly balloon?: string;
}

const runStates: ReadonlyMap<unknown, RunState> = new Map([
  ['running', 'running'],
  ['paused', 'paused'],
  // Made, and not run yet: the launcher has told nobody to run it.
  ['prelaunch', 'paused'],
  ['io-error', 'ioError'],
  ['shutdown', 'stopped'],
  ['guest-panicked', 'panicked'],
  ['internal-error', 'panicked'],
]);

/** One guest in a process that speaks QMP, behind its launcher. It holds no state: many may stand for one guest. */
export class QmpEngine implements Engine {
  readonly #connection: LauncherConnection;
  readonly #dialect: Dialect;

  constructor(connection: LauncherConnection, dialect: Dialect) {
    this.#connection = connection;
    this.#dialect = dialect;
  }

  shutdown(graceSeconds: number): Promise<void> {
    return this.#connection.shutdown(graceSeconds);
  }

  kill(): Promise<void> {
    return this.#connection.kill();
  }

  async pause(): Promise<void> {
    await qmp(this.#connection, 'stop');
  }

  async resume(): Promise<void> {
    await qmp(this.#connection, 'cont');
  }

  async reset(): Promise<void> {
    await qmp(this.#connection, 'system_reset');
  }

  async powerButton(): Promise<void> {
    await qmp(this.#connection, 'system_powerdown');
  }

  async describe(): Promise<EngineDescription> {
    const {name, agentChardev} = this.#dialect;
    const [status, version, chardevs] = await Promise.all([
      qmp(this.#connection, 'query-status'),
      qmp(this.#connection, 'query-version'),
      agentChardev === undefined ? [] : qmp(this.#connection, 'query-chardev'),
    ]);
    return {
      name,
      version: this.#dialect.version(version),
      state: runStates.get(fieldsOf(status).status) ?? 'starting',
      agent: listOf(chardevs).some(one => one.label === agentChardev && one['frontend-open'] === true),
    };
  }

  async stats(): Promise<EngineStats> {
    const [blocks, cpus, memory] = await Promise.all([
      qmp(this.#connection, 'query-blockstats', {}),
      qmp(this.#connection, 'query-cpus-fast'),
      this.#memory(),
    ]);
    return {disks: diskCounters(blocks), vcpuThreads: vcpuThreads(cpus), memory};
  }

  async failedDisks(): Promise<readonly FailedDisk[]> {
    return failedDisks(await qmp(this.#connection, 'query-block'));
  }

  async watchMemory(): Promise<void> {
    const {label, balloon} = this.#dialect;
    if (balloon === undefined) throw unsupportedOperation(label, 'watch the memory of a guest');
    await qmp(this.#connection, 'qom-set', {
      path: balloon,
      property: 'guest-stats-polling-interval',
      value: BALLOON_INTERVAL,
    });
  }

  /** Without a driver in the guest the balloon answers with an error. */
  async #memory(): Promise<GuestMemory | undefined> {
    const path = this.#dialect.balloon;
    if (path === undefined) return undefined;
    try {
      const balloon = await qmp(this.#connection, 'query-balloon');
      const statistics = await qmp(this.#connection, 'qom-get', {path, property: 'guest-stats'});
      return guestMemory(balloon, statistics);
    } catch (error) {
      if (isDaemonError(error, 'ENGINE')) return undefined;
      throw error;
    }
  }

  #lacks(operation: EngineOperation): Promise<never> {
    return Promise.reject(unsupportedOperation(this.#dialect.label, operation));
  }

  readonly attachDevice = (): Promise<never> => this.#lacks('attachDevice');
  readonly detachDevice = (): Promise<never> => this.#lacks('detachDevice');
  readonly updateDevice = (): Promise<never> => this.#lacks('updateDevice');
  readonly resize = (): Promise<never> => this.#lacks('resize');
  readonly snapshot = (): Promise<never> => this.#lacks('snapshot');
  readonly restore = (): Promise<never> => this.#lacks('restore');
  readonly migrateOut = (): Promise<never> => this.#lacks('migrateOut');
  readonly migrateIn = (): Promise<never> => this.#lacks('migrateIn');
  readonly open = (): Promise<never> => this.#lacks('open');
}

/** Of each part that is no number as if it were 0: an engine is not trusted to say one. */
export const versionText = (...parts: readonly unknown[]): string =>
  parts.map(part => (Number.isSafeInteger(part) ? Math.max(0, Number(part)) : 0)).join('.');
