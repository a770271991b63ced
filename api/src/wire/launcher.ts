/**
 * What the node-daemon and the launcher say to each other. The prose, with states and exit codes, is
 * docs/design/20261124-launcher-protocol.md; the Rust side is native/launcher.
 */

import type {EngineName} from '../constants/index.ts';

/** The newest protocol version that this code speaks. 2: a plan's arguments may ask what its files are like. */
export const LAUNCHER_PROTOCOL = 2;

/** Largest frame body in bytes that either side accepts. */
export const LAUNCHER_MAX_FRAME = 1024 * 1024;

export type LauncherState = 'Idle' | 'Preparing' | 'Starting' | 'Running' | 'Stopping';

/** How a guest ended, by the exit code of the launcher's container. */
export const LauncherExit = {
  PoweredOff: 0,
  ShutDownOnRequest: 20,
  KilledAfterGrace: 21,
  StoppedBeforeStart: 22,
  GuestRebooted: 23,
  GuestPanicked: 30,
  EngineCrashed: 31,
  StartFailed: 32,
  LauncherFailed: 33,
  WatchdogExpired: 34,
} as const;

export type LauncherOutcome = keyof typeof LauncherExit;

export type LauncherErrorCode =
  | 'BadRequest'
  | 'UnknownOp'
  | 'BadPlan'
  | 'NotStarted'
  | 'AlreadyStarted'
  | 'EngineGone'
  | 'StepFailed'
  | 'TooLarge';

/** The full, resolved recipe for one engine process. */
export interface Plan {
  /** The VMI's uid: one plan per run. */
  readonly id: string;
  readonly engine: {
    readonly kind: EngineName;
    /** Absolute path inside the pod. */
    readonly program: string;
    /**
     * `{fd:NAME}` stands for a descriptor's number in the engine, `{direct:PATH?YES:NO}` for YES where the file can be used
     * without the kernel's cache, else for NO, `{blocksize:PATH}` for the bytes of the blocks of its filesystem. For the
     * native engine alone `{open:PATH?HOW}` is the number of the file in the engine, for which the launcher opens it: HOW is
     * `ro` or `rw`, then, with commas, `auto` (without the kernel's cache, where it takes a guest's sectors so) and `follow` (links).
     */
    readonly args: readonly string[];
    /** QMP commands, followed one by one before the guest runs; one that is refused ends the start. Left out where there are none. */
    readonly setup?: readonly {readonly execute: string; readonly arguments?: object}[];
  };
  /** Names of the descriptors that travel with the request, in their order. */
  readonly descriptors: readonly string[];
  /** Made one after the other before the engine starts. */
  readonly files: readonly FileStep[];
  /** One per guest interface that the launcher answers DHCP for. */
  readonly dhcp: readonly DhcpAnswer[];
  /** Seconds between the power button and the kill. */
  readonly graceSeconds: number;
  /** The guest is made, but does not run until somebody resumes it. Defaults to false; left out where it is. */
  readonly startPaused?: boolean;
  /** The serial console goes to the pod's log as well. Defaults to true; left out where it is. */
  readonly logConsole?: boolean;
}

export type FileStep =
  /** A qcow2 overlay over a disk image inside an image volume. The image's format is read once, by its magic: qcow2 or raw. */
  | {
      readonly make: 'overlay';
      readonly path: string;
      /** A file, or a directory that must hold exactly one file. */
      readonly backing: string;
      /** Where the format is known, and the magic is a guest's to write. */
      readonly format?: 'raw';
    }
  /** A sparse raw image, only where no file is there yet; never larger than what the filesystem has free. */
  | {readonly make: 'raw'; readonly path: string; readonly bytes: number}
  /** An empty qcow2 image, made anew for each run. */
  | {readonly make: 'qcow2'; readonly path: string; readonly bytes: number}
  /** An ISO 9660 + Joliet image with these files. */
  | {
      readonly make: 'iso';
      readonly path: string;
      readonly label: string;
      readonly entries: readonly IsoEntry[];
      /** A folder that the kubelet keeps, all of whose files go onto the image as well. */
      readonly folder?: string;
      /** One file of these names must be there, in any case. */
      readonly needs?: readonly string[];
    };

export interface IsoEntry {
  /** Its path on the image: folders and name, with slashes between them. */
  readonly name: string;
  readonly from:
    | {readonly base64: string}
    /** The first of these files that exists; absolute paths inside the pod. */
    | {readonly files: readonly string[]; readonly optional: boolean};
}

export interface DhcpAnswer {
  /** The interface's name in the VMI spec. */
  readonly interface: string;
  /** The descriptor (by name) of a UDP socket bound to port 67 on the tap in the pod's network namespace. */
  readonly socket: string;
  /** The guest's address: only this MAC is answered, with only this address. */
  readonly mac: string;
  readonly address: string;
  readonly prefixLength: number;
  readonly router: string;
  readonly mtu: number;
  readonly hostname: string;
  /** Where the pod's resolv.conf lies; its name servers and search list go into the answer. */
  readonly resolvConf: string;
  /** Subdomain of the pod: the domain that it makes of the pod's service domain is searched first. Left out where there is none. */
  readonly subdomain?: string;
  /** What else is said. Left out where that is nothing. */
  readonly options?: LeaseOptions;
}

/** Options of a DHCP answer that a user asks for; together they fit into the smallest answer. */
export interface LeaseOptions {
  /** Option 67, and BOOTP's file. */
  readonly bootFileName?: string;
  /** Option 66, and BOOTP's next server where it is an IPv4 address. */
  readonly tftpServerName?: string;
  /** Option 42. */
  readonly ntpServers?: readonly string[];
  /** Options 224 to 254. */
  readonly privateOptions?: readonly {readonly option: number; readonly value: string}[];
}

export interface LauncherLease {
  readonly interface: string;
  readonly mac: string;
  readonly address: string;
  readonly hostname?: string;
}

export type LauncherRequest =
  | {readonly id: number; readonly op: 'hello'; readonly protocol: number}
  | {readonly id: number; readonly op: 'start'; readonly plan: Plan}
  | {readonly id: number; readonly op: 'status'}
  | {readonly id: number; readonly op: 'engine'; readonly command: {execute: string; arguments?: object}}
  | {readonly id: number; readonly op: 'subscribe'; readonly from: number}
  | {readonly id: number; readonly op: 'shutdown'; readonly graceSeconds: number}
  | {readonly id: number; readonly op: 'kill'};

export interface LauncherHello {
  readonly protocol: number;
  readonly version: string;
  readonly uid: string;
  readonly state: LauncherState;
  readonly planId?: string;
  readonly lastSeq: number;
}

export interface LauncherStatus {
  readonly state: LauncherState;
  /** In the process namespace of the pod. */
  readonly enginePid?: number;
  /** Milliseconds since the epoch. */
  readonly startedAt?: number;
  readonly lastSeq: number;
  readonly leases: readonly LauncherLease[];
}

export type LauncherEvent =
  /** `Running` for the reason `Paused` is a guest that waits to be resumed for the first time. */
  | {readonly type: 'state'; readonly state: LauncherState; readonly reason?: string; readonly message?: string}
  | {readonly type: 'engine'; readonly qmp: {readonly event: string; readonly data?: object}}
  | ({readonly type: 'lease'} & LauncherLease)
  | {readonly type: 'exited'; readonly outcome: LauncherOutcome; readonly message: string};

export type LauncherFrame =
  | {readonly id: number; readonly ok: object}
  | {readonly id: number; readonly error: {readonly code: LauncherErrorCode; readonly message: string}}
  | {readonly seq: number; readonly at: number; readonly event: LauncherEvent};
