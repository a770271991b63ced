/**
 * What Node.js cannot do by itself on a node: safe paths, descriptors that travel, peer credentials, pidfds, network namespaces, KVM.
 *
 * Descriptors are plain numbers. Who gets one owns it: hand it to `new net.Socket({fd})`, to `handOver`, or to `host.close`.
 * Calls without a Promise return within a millisecond; the others run on a thread of the library (at most 512 at once, else Busy)
 * and never on libuv's pool.
 * All throw (or reject with) `NativeError`.
 */

/** A folder held open: later renames or symbolic links in its path change nothing. */
export interface Dir extends Disposable {
  /** What it was opened as, for messages. */
  readonly path: string;
  /** O_PATH descriptor. Stays the Dir's: do not close it. */
  readonly fd: number;
  /**
   * A folder below, by a relative path. Neither `..` out of this folder nor any symbolic link is followed.
   * @throws NotFound, Escapes, WrongType
   */
  open(path: string): Dir;
  /** Whether a file, socket or anything else of this name is directly inside. A symbolic link counts as there. */
  exists(name: string): boolean;
  /** Closing twice does nothing. */
  close(): void;
}

/** Who listened on a socket when it was connected (SO_PEERCRED), in this process's PID namespace. 0 if the pid is outside of it. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export interface UnixConnection {
  /** A connected, non-blocking stream socket; the caller's, fit for `new net.Socket({fd})`. */
  readonly fd: number;
  readonly peer: PeerCredentials;
}

export interface TapOptions {
  /** Interface name, at most 15 bytes. */
  readonly name: string;
  /** IPv4 address of the host's end, the guest's gateway. */
  readonly address: string;
  readonly prefixLength: number;
  /** Bytes; usually that of the pod's eth0 (`linkInfo`). */
  readonly mtu: number;
  /** Lets processes of this uid attach to the tap without CAP_NET_ADMIN. Defaults to nobody. */
  readonly ownerUid?: number;
}

export interface Tap {
  /** Blocking descriptor for the engine (`tap,fd=N`). The tap lives as long as a descriptor of it is open anywhere. */
  readonly tapFd: number;
  /** Bytes, as the kernel took it. */
  readonly mtu: number;
}

/** Counters of an interface as the host counts them: the guest's received bytes are its tap's `txBytes`. */
export interface InterfaceCounters {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

export interface LinkInfo {
  readonly name: string;
  readonly index: number;
  /** Lower case, colons; empty for a link without one. */
  readonly mac: string;
  /** Bytes. */
  readonly mtu: number;
  /** IFF_UP. */
  readonly up: boolean;
  /** `10.244.0.5/24`, `fd00::5/64`; IPv4 first, in the kernel's order, link-local ones included. */
  readonly addresses: readonly string[];
  readonly counters: InterfaceCounters;
}

export interface BlockDeviceOptions {
  readonly readOnly: boolean;
  /** Without the kernel's cache (O_DIRECT). */
  readonly direct: boolean;
}

export interface BlockDevice {
  readonly fd: number;
  readonly bytes: number;
  /** Bytes of its logical blocks. */
  readonly logical: number;
  /** Bytes of its physical blocks. */
  readonly physical: number;
}

/** KVM_CHECK_EXTENSION numbers of the capabilities that a node reports (include/uapi/linux/kvm.h). */
export const KvmCapability = {
  irqchip: 0,
  nrVcpus: 9,
  nrMemslots: 10,
  irqfd: 32,
  pit2: 33,
  ioeventfd: 36,
  nestedState: 157,
  maxVcpus: 66,
  tscControl: 60,
  hypervSynic: 123,
  splitIrqchip: 121,
  immediateExit: 136,
  hypervCpuid: 167,
  x86Smm: 117,
  xsave2: 208,
  vmGpaBits: 207,
} as const;

export type KvmCapabilityName = keyof typeof KvmCapability;

export interface KvmInfo {
  /** 12 on every kernel since 2.6.22. */
  readonly apiVersion: number;
  /** 0 means absent; else 1 or the amount. */
  readonly capabilities: Readonly<Record<KvmCapabilityName, number>>;
}

/** The only device nodes that the daemon may open for a guest. */
export type DevicePath = '/dev/kvm' | '/dev/vhost-net' | '/dev/net/tun';

export interface Host {
  /** Version of the C ABI of the library that was loaded. */
  readonly abiVersion: number;

  /**
   * Opens a trusted folder (symbolic links are followed), from which untrusted ones below are reached by `Dir.open`.
   * @throws NotFound, WrongType, PermissionDenied
   */
  openDir(path: string): Dir;

  /**
   * Connects to the stream socket `name` directly inside `dir`, without blocking. What is no socket is refused, symbolic links too,
   * and the path may be longer than a sockaddr_un's.
   * @throws NotFound (no socket yet), Refused (nobody listens), Busy (backlog full: try again), Escapes, WrongType
   */
  connectUnix(dir: Dir, name: string): UnixConnection;

  /**
   * A pidfd of the process that listened on the other end of this connected unix socket; free of pid reuse on Linux 6.5 and later.
   * @throws ProcessGone
   */
  peerPidfd(socketFd: number): number;

  /**
   * Sends one frame with descriptors over a connection of its own and returns the answer frame; both with their 4-byte length.
   * `fds` stay the caller's and may be closed as soon as this returns its promise. At most 128 descriptors, 1 MiB a frame.
   * @throws as connectUnix, and TimedOut, PeerClosed, TooLarge
   */
  handOver(
    dir: Dir,
    name: string,
    frame: Uint8Array,
    fds: readonly number[],
    options?: {
      /** For all of it: connect, send, answer. Defaults to 1000. */
      readonly timeoutMs?: number;
      /** Hands nothing to a listener of another uid (PermissionDenied). Defaults to any. */
      readonly peerUid?: number;
    },
  ): Promise<Uint8Array>;

  /**
   * A descriptor that stands for this process for ever.
   * `startTime` is field 22 of /proc/<pid>/stat: with it, another process that got the same number is refused.
   * @throws ProcessGone
   */
  pidfdOpen(pid: number, startTime?: bigint): number;

  /** False once the process has exited, a zombie included. */
  pidfdAlive(pidfd: number): boolean;

  /**
   * The network namespace of a process that is alive; `pidfd` proves that `pid` is still that process.
   * @throws ProcessGone, PermissionDenied
   */
  netnsOf(process: {readonly pid: number; readonly pidfd: number}): number;

  /**
   * Makes (or re-uses) the tap in that namespace: up, with address and MTU, IFF_NO_PI|IFF_VNET_HDR, forwarding on in the namespace and
   * route_localnet on the tap. Safe to repeat while no engine holds the tap.
   * @throws Busy (an engine holds it: the guest already runs), InvalidArgument, PermissionDenied
   */
  setUpTap(netns: number, tap: TapOptions): Promise<Tap>;

  /** Deletes the link. True if it was there. */
  removeTap(netns: number, name: string): Promise<boolean>;

  /**
   * A UDP socket on port 67, bound to this link, that may broadcast. Non-blocking.
   * @throws NotFound (no such link), Busy (the address is in use)
   */
  openDhcpSocket(netns: number, device: string): Promise<number>;

  /**
   * Opens the block device at this absolute path as that living process sees it. Symbolic links are not followed, and nothing but a
   * block device is opened; `pidfd` proves that `pid` is still that process.
   * @throws NotFound (no such device), WrongType (something else), Escapes, ProcessGone, PermissionDenied
   */
  openBlockDevice(
    process: {readonly pid: number; readonly pidfd: number},
    path: string,
    options: BlockDeviceOptions,
  ): Promise<BlockDevice>;

  /** @throws NotFound */
  linkInfo(netns: number, device: string): Promise<LinkInfo>;

  /** `linkInfo(…).counters`. @throws NotFound */
  interfaceCounters(netns: number, device: string): Promise<InterfaceCounters>;

  /** `linkInfo(…).mtu`. @throws NotFound */
  linkMtu(netns: number, device: string): Promise<number>;

  /** Opens it for reading and writing. @throws NotFound, PermissionDenied, InvalidArgument (not in the list) */
  openDevice(path: DevicePath): number;

  /**
   * What /dev/kvm says of itself. Whether guests really run on it is the self-test's to say.
   * @throws NotFound, PermissionDenied, WrongType
   */
  kvm(): KvmInfo;

  /** Closes a descriptor that came from here. 0, 1 and 2 are refused. */
  close(fd: number): void;
}
