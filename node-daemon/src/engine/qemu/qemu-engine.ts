import {isDaemonError, unsupportedOperation} from '../../errors.ts';
import type {LauncherConnection} from '../../launcher/connection.ts';
import type {
  Engine,
  EngineDescription,
  EngineOperation,
  EngineStats,
  FailedDisk,
  GuestMemory,
  RunState,
} from '../engine.ts';
import {AGENT_CHARDEV, BALLOON_ID} from './machine-type.ts';
import {fieldsOf, listOf, qmp, type ReturnOf} from './qmp.ts';
import {diskCounters, failedDisks, guestMemory, vcpuThreads} from './stats.ts';

/** Seconds between two questions of the balloon to the guest. */
const BALLOON_INTERVAL = 10;
const BALLOON = `/machine/peripheral/${BALLOON_ID}`;

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

const lacks = (operation: EngineOperation): Promise<never> => Promise.reject(unsupportedOperation('QEMU', operation));

/** One guest in a QEMU process, behind its launcher. It holds no state: many may stand for one guest. */
export class QemuEngine implements Engine {
  readonly #connection: LauncherConnection;

  constructor(connection: LauncherConnection) {
    this.#connection = connection;
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
    const [status, version, chardevs] = await Promise.all([
      qmp(this.#connection, 'query-status'),
      qmp(this.#connection, 'query-version'),
      qmp(this.#connection, 'query-chardev'),
    ]);
    return {
      name: 'qemu',
      version: versionText(version),
      state: runStates.get(fieldsOf(status).status) ?? 'starting',
      agent: listOf(chardevs).some(one => one.label === AGENT_CHARDEV && one['frontend-open'] === true),
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
    await qmp(this.#connection, 'qom-set', {
      path: BALLOON,
      property: 'guest-stats-polling-interval',
      value: BALLOON_INTERVAL,
    });
  }

  /** Without a driver in the guest the balloon answers with an error. */
  async #memory(): Promise<GuestMemory | undefined> {
    try {
      const balloon = await qmp(this.#connection, 'query-balloon');
      const statistics = await qmp(this.#connection, 'qom-get', {path: BALLOON, property: 'guest-stats'});
      return guestMemory(balloon, statistics);
    } catch (error) {
      if (isDaemonError(error, 'ENGINE')) return undefined;
      throw error;
    }
  }

  readonly attachDevice = (): Promise<never> => lacks('attachDevice');
  readonly detachDevice = (): Promise<never> => lacks('detachDevice');
  readonly updateDevice = (): Promise<never> => lacks('updateDevice');
  readonly resize = (): Promise<never> => lacks('resize');
  readonly snapshot = (): Promise<never> => lacks('snapshot');
  readonly restore = (): Promise<never> => lacks('restore');
  readonly migrateOut = (): Promise<never> => lacks('migrateOut');
  readonly migrateIn = (): Promise<never> => lacks('migrateIn');
  readonly open = (): Promise<never> => lacks('open');
}

const versionText = (answer: ReturnOf<'query-version'>): string => {
  const {major, minor, micro} = fieldsOf(fieldsOf(answer).qemu);
  return [major, minor, micro].map(part => (Number.isSafeInteger(part) ? Math.max(0, Number(part)) : 0)).join('.');
};
