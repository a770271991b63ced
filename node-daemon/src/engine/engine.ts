/** The contract between the daemon and what runs a guest: one object per guest, the same for every engine. */
import type {EngineName, Plan} from '@wherry/api';
import type {LauncherConnection} from '../launcher/connection.ts';
import type {EffectiveMachine} from '../machine/effective-machine.ts';

export type {EngineName};

/** What an engine can do, as data: looked at before a pod is made, so that no operation fails for the lack of it. */
export interface EngineCapabilities {
  readonly operations: ReadonlySet<EngineOperation>;
  readonly accelerators: readonly ('kvm' | 'tcg')[];
  readonly maxVcpus: number;
  readonly maxDisks: number;
  /** Guests that want a balloon have one. */
  readonly balloon: boolean;
  /** It puts requests together that are smaller than the blocks of the storage. */
  readonly alignsIo: boolean;
}

/** Operations that not every engine has. */
export const engineOperations = [
  'pause',
  'resume',
  'reset',
  'powerButton',
  'attachDevice',
  'detachDevice',
  'updateDevice',
  'resize',
  'snapshot',
  'restore',
  'migrateOut',
  'migrateIn',
  'open',
] as const;
export type EngineOperation = (typeof engineOperations)[number];

/** An engine before it runs: pure, no I/O. */
export interface EngineKind {
  readonly name: EngineName;
  readonly capabilities: EngineCapabilities;
  /** The type of machine that guests see, frozen for the life of an instance. */
  machineTypeOf(machine: EffectiveMachine): string;
  /**
   * The full recipe for one engine process that starts now (milliseconds since the epoch).
   * @throws DaemonError UNSUPPORTED_MACHINE where the machine lies outside of the capabilities
   */
  plan(machine: EffectiveMachine, now: number): Plan;
  /** The running engine behind a launcher; costs nothing and holds nothing. */
  attach(connection: LauncherConnection): Engine;
}

/** `ioError`: the engine itself has stopped the guest, because a disk could not be read or written. */
export type RunState = 'running' | 'paused' | 'ioError' | 'stopped' | 'panicked' | 'starting';

export interface EngineDescription {
  readonly name: EngineName;
  readonly version: string;
  readonly state: RunState;
  /** The guest agent has opened its channel. */
  readonly agent: boolean;
}

/** Cumulative since the engine process started; a reset of the guest does not clear them. */
export interface DiskCounters {
  /** Name of the disk in the instance. */
  readonly disk: string;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly reads: number;
  readonly writes: number;
  readonly flushes: number;
  readonly readSeconds: number;
  readonly writeSeconds: number;
  readonly flushSeconds: number;
}

/** Bytes, as the guest's balloon driver says; absent until it has. */
export interface GuestMemory {
  readonly actual: number;
  readonly unused?: number;
  readonly usable?: number;
  readonly available?: number;
  readonly cached?: number;
  readonly swapIn?: number;
  readonly swapOut?: number;
  readonly majorFaults?: number;
  readonly minorFaults?: number;
}

/** A disk that the engine could not read or write. */
export interface FailedDisk {
  /** Of the volume. */
  readonly disk: string;
  /** There was no room for what the guest wrote. */
  readonly full: boolean;
}

export interface EngineStats {
  readonly disks: readonly DiskCounters[];
  readonly memory: GuestMemory | undefined;
  /** Host threads that run vCPUs, by index of the vCPU. */
  readonly vcpuThreads: readonly {readonly vcpu: number; readonly thread: number}[];
}

/** One guest whose launcher answers. Every call rejects with DaemonError; UNSUPPORTED_OPERATION is never retried. */
export interface Engine {
  /** Presses the power button, and kills when the grace is over. Returns at once. */
  shutdown(graceSeconds: number): Promise<void>;
  kill(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Like the reset button: the process stays. */
  reset(): Promise<void>;
  powerButton(): Promise<void>;
  attachDevice(device: object): Promise<void>;
  detachDevice(name: string): Promise<void>;
  updateDevice(name: string, change: object): Promise<void>;
  resize(target: {readonly vcpus?: number; readonly memoryBytes?: number}): Promise<void>;
  snapshot(path: string): Promise<void>;
  restore(path: string): Promise<void>;
  migrateOut(peer: string): Promise<void>;
  migrateIn(listener: string): Promise<void>;
  open(stream: string): Promise<NodeJS.ReadWriteStream>;
  /**
   * Makes the guest say how it uses its memory from now on; asking twice changes nothing. Only for a guest with a balloon.
   */
  watchMemory(): Promise<void>;
  stats(): Promise<EngineStats>;
  /** The disks that have failed, of a guest that was stopped for it. An engine may still name one that has failed before. */
  failedDisks(): Promise<readonly FailedDisk[]>;
  describe(): Promise<EngineDescription>;
}
