/** `Host` over the library: checks, ownership and shapes; no C names (those are in `library.ts`). */

import {NativeError} from './errors.ts';
import {
  type BlockDevice,
  type BlockDeviceOptions,
  type DevicePath,
  type Dir,
  type Host,
  type InterfaceCounters,
  KvmCapability,
  type KvmCapabilityName,
  type KvmInfo,
  type LinkInfo,
  type Tap,
  type TapOptions,
  type UnixConnection,
} from './host.ts';
import {readAnswer} from './job.ts';
import type {Library} from './library.ts';

/** Defaults of `Host.handOver`, in ms. */
const HAND_OVER_TIMEOUT = 1000;
/** C's way to say "no uid". */
const NO_UID = -1;

class NativeDir implements Dir {
  readonly path: string;
  readonly #library: Library;
  #fd: number | undefined;

  constructor(library: Library, path: string, fd: number) {
    this.#library = library;
    this.path = path;
    this.#fd = fd;
  }

  get fd(): number {
    if (this.#fd === undefined) throw new NativeError('Closed', `the folder ${this.path} was closed`);
    return this.#fd;
  }

  open(path: string): Dir {
    return new NativeDir(this.#library, `${this.path}/${path}`, this.#library.openDirAt(this.fd, path));
  }

  exists(name: string): boolean {
    return this.#library.existsAt(this.fd, name) === 1;
  }

  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) this.#library.close(fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export class NativeHost implements Host {
  readonly #library: Library;

  constructor(library: Library) {
    this.#library = library;
  }

  get abiVersion(): number {
    return this.#library.abiVersion;
  }

  openDir(path: string): Dir {
    return new NativeDir(this.#library, path, this.#library.openDir(path));
  }

  connectUnix(dir: Dir, name: string): UnixConnection {
    const {fd, pid, uid, gid} = this.#library.connectUnix(dir.fd, name);
    return {fd, peer: {pid, uid, gid}};
  }

  peerPidfd(socketFd: number): number {
    return this.#library.peerPidfd(socketFd);
  }

  async handOver(
    dir: Dir,
    name: string,
    frame: Uint8Array,
    fds: readonly number[],
    options: {readonly timeoutMs?: number; readonly peerUid?: number} = {},
  ): Promise<Uint8Array> {
    const {timeoutMs = HAND_OVER_TIMEOUT, peerUid = NO_UID} = options;
    const numbers = Int32Array.from(fds);
    return readAnswer(
      this.#library.handOver(dir.fd, name, frame, frame.length, numbers, numbers.length, peerUid, timeoutMs),
    );
  }

  pidfdOpen(pid: number, startTime: bigint = 0n): number {
    return this.#library.pidfdOpen(pid, startTime);
  }

  pidfdAlive(pidfd: number): boolean {
    return this.#library.pidfdAlive(pidfd) === 1;
  }

  netnsOf({pid, pidfd}: {readonly pid: number; readonly pidfd: number}): number {
    return this.#library.netnsOf(pid, pidfd);
  }

  async setUpTap(netns: number, tap: TapOptions): Promise<Tap> {
    const {name, address, prefixLength, mtu, ownerUid = NO_UID} = tap;
    return readJson<Tap>(this.#library.setUpTap(netns, name, address, prefixLength, mtu, ownerUid));
  }

  async removeTap(netns: number, name: string): Promise<boolean> {
    return (await readJson<{removed: boolean}>(this.#library.removeTap(netns, name))).removed;
  }

  async openDhcpSocket(netns: number, device: string): Promise<number> {
    return (await readJson<{fd: number}>(this.#library.openDhcpSocket(netns, device))).fd;
  }

  async openBlockDevice(
    {pid, pidfd}: {readonly pid: number; readonly pidfd: number},
    path: string,
    {readOnly, direct}: BlockDeviceOptions,
  ): Promise<BlockDevice> {
    return readJson<BlockDevice>(this.#library.openBlockDevice(pid, pidfd, path, Number(readOnly), Number(direct)));
  }

  async linkInfo(netns: number, device: string): Promise<LinkInfo> {
    return readJson<LinkInfo>(this.#library.linkInfo(netns, device));
  }

  async interfaceCounters(netns: number, device: string): Promise<InterfaceCounters> {
    return (await this.linkInfo(netns, device)).counters;
  }

  async linkMtu(netns: number, device: string): Promise<number> {
    return (await this.linkInfo(netns, device)).mtu;
  }

  openDevice(path: DevicePath): number {
    return this.#library.openDevice(path);
  }

  kvm(): KvmInfo {
    const names = Object.keys(KvmCapability) as KvmCapabilityName[];
    const values = new Int32Array(names.length);
    const apiVersion = this.#library.kvm(
      Uint32Array.from(names, name => KvmCapability[name]),
      values,
      names.length,
    );
    const entries = names.map((name, at) => [name, values[at]]);
    return {apiVersion, capabilities: Object.fromEntries(entries) as KvmInfo['capabilities']};
  }

  close(fd: number): void {
    this.#library.close(fd);
  }
}

/** The body is JSON that the library wrote, not a peer. */
const readJson = async <T>(answerFd: number): Promise<T> =>
  JSON.parse((await readAnswer(answerFd)).toString('utf8')) as T;
