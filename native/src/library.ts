/**
 * The C ABI of `libwherry.so` (`native/ffi`), declared once. Nothing outside this file names a C function or a C type.
 *
 * Traps that the shape of this file answers (koffi 3.3.4): `.async` calls run on libuv's pool with a stack of 128 KiB, so none is made;
 * callbacks block foreign threads, so none is registered; type names are global to the process, so all types here are anonymous;
 * a number where a string or buffer belongs is followed as an address and crashes the process, so every argument is checked first.
 */

import koffi, {type LibraryHandle, type TypeObject} from 'koffi';
import {NativeError, nativeErrorOf} from './errors.ts';

/** Must equal `ABI_VERSION` of `native/ffi`. */
export const ABI_VERSION = 1;

interface ErrorOut {
  readonly code: number;
  readonly errno: number;
  readonly message: string;
}

export interface ConnectionOut {
  readonly fd: number;
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** C structs as koffi lays them out; a test compares them with what `native/ffi` asserts of its own. */
export const structs = () => ({
  error: koffi.struct({code: 'uint32_t', errno: 'int32_t', message: koffi.array('char', 504, 'String')}),
  connection: koffi.struct({fd: 'int32_t', pid: 'int32_t', uid: 'uint32_t', gid: 'uint32_t'}),
});

/** What may cross as an argument. Buffers are read or written during the call only. */
const kinds = {
  i32: {type: 'int32_t', fits: (value: unknown) => Number.isInteger(value) && value === (value as number) << 0},
  u32: {type: 'uint32_t', fits: (value: unknown) => Number.isInteger(value) && value === (value as number) >>> 0},
  i64: {type: 'int64_t', fits: (value: unknown) => Number.isSafeInteger(value)},
  u64: {type: 'uint64_t', fits: (value: unknown) => typeof value === 'bigint' && value === BigInt.asUintN(64, value)},
  text: {type: 'str', fits: (value: unknown) => typeof value === 'string' && !value.includes('\0')},
  bytes: {type: 'const uint8_t *', fits: (value: unknown) => value instanceof Uint8Array},
  i32s: {type: 'int32_t *', fits: (value: unknown) => value instanceof Int32Array},
  u32s: {type: 'const uint32_t *', fits: (value: unknown) => value instanceof Uint32Array},
} as const;

type Kind = keyof typeof kinds;
type Call<Out> = (...args: readonly unknown[]) => Out;

/** Every call of the ABI. All throw `NativeError`; those that return a descriptor give it to the caller. */
export interface Library {
  readonly abiVersion: number;
  readonly openDir: (path: string) => number;
  readonly openDirAt: (dir: number, path: string) => number;
  readonly existsAt: (dir: number, name: string) => number;
  readonly connectUnix: (dir: number, name: string) => ConnectionOut;
  readonly peerPidfd: (socket: number) => number;
  /** A start time of 0 means any. */
  readonly pidfdOpen: (pid: number, startTime: bigint) => number;
  readonly pidfdAlive: (pidfd: number) => number;
  readonly netnsOf: (pid: number, pidfd: number) => number;
  readonly openDevice: (path: string) => number;
  /** Fills the first `count` values, returns the API version. */
  readonly kvm: (capabilities: Uint32Array, values: Int32Array, count: number) => number;
  readonly close: (fd: number) => number;
  // The rest return the descriptor of their answer (`job.ts`). A uid of -1 means any or none.
  readonly handOver: (
    dir: number,
    name: string,
    frame: Uint8Array,
    frameLength: number,
    fds: Int32Array,
    fdCount: number,
    peerUid: number,
    timeoutMs: number,
  ) => number;
  readonly setUpTap: (
    netns: number,
    name: string,
    address: string,
    prefixLength: number,
    mtu: number,
    ownerUid: number,
  ) => number;
  readonly removeTap: (netns: number, name: string) => number;
  readonly openDhcpSocket: (netns: number, device: string) => number;
  readonly openBlockDevice: (pid: number, pidfd: number, path: string, readOnly: number, direct: number) => number;
  readonly linkInfo: (netns: number, device: string) => number;
}

const load = (path: string): LibraryHandle => {
  try {
    return koffi.load(path);
  } catch (cause) {
    const message = `cannot load ${path}: build it with \`cargo build --release -p wherry-ffi\` or set WHERRY_NATIVE_LIB`;
    throw new NativeError('LibraryMissing', message, {cause});
  }
};

const checkVersion = (library: LibraryHandle, path: string): number => {
  let found: number;
  try {
    found = (library.func('wherry_abi_version', 'uint32_t', []) as () => number)();
  } catch (cause) {
    throw new NativeError('LibraryMismatch', `${path} is not Wherry's library`, {cause});
  }
  if (found === ABI_VERSION) return found;
  const message = `${path} speaks ABI ${found}, this package ABI ${ABI_VERSION}: take both from one version of Wherry`;
  throw new NativeError('LibraryMismatch', message);
};

const checkArguments = (name: string, expected: readonly Kind[], values: readonly unknown[]): void => {
  if (values.length !== expected.length)
    throw new NativeError('InvalidArgument', `${name} takes ${expected.length} values`);
  for (const [at, kind] of expected.entries()) {
    if (kinds[kind].fits(values[at])) continue;
    throw new NativeError('InvalidArgument', `${name}: argument ${at + 1} (${String(values[at])}) is no ${kind}`);
  }
};

/** A C function that takes its arguments, a place for its result and a place for its error, and returns 0 or the error's number. */
const binder = (library: LibraryHandle, errorType: TypeObject) => {
  const errorPlace = koffi.out(koffi.pointer(errorType));
  return <Out>(name: string, args: readonly Kind[], outType: TypeObject | 'int32_t'): Call<Out> => {
    const outPlace = koffi.out(koffi.pointer(outType));
    const types = [...args.map(kind => kinds[kind].type), outPlace, errorPlace];
    // Bound at its first call: a library that is older than a call serves all others.
    let raw: ((...values: readonly unknown[]) => number) | undefined;
    // koffi writes a struct into an object and a number into the first item of an array.
    const place = outType === 'int32_t' ? () => [0] : () => ({});
    return (...values) => {
      checkArguments(name, args, values);
      const out = place();
      const error = {code: 0, errno: 0, message: ''} satisfies ErrorOut;
      raw ??= library.func(name, 'uint32_t', types) as (...values: readonly unknown[]) => number;
      const number = raw(...values, out, error);
      if (number !== 0) throw nativeErrorOf(number, error.errno, error.message);
      return (Array.isArray(out) ? out[0] : out) as Out;
    };
  };
};

/** Loads the library and declares every call. @throws LibraryMissing, LibraryMismatch */
export const openLibrary = (path: string): Library => {
  const library = load(path);
  const abiVersion = checkVersion(library, path);
  const types = structs();
  const bind = binder(library, types.error);
  const number = (name: string, ...args: readonly Kind[]): Call<number> => bind(name, args, 'int32_t');
  return {
    abiVersion,
    openDir: number('wherry_open_dir', 'text'),
    openDirAt: number('wherry_open_dir_at', 'i32', 'text'),
    existsAt: number('wherry_exists_at', 'i32', 'text'),
    connectUnix: bind('wherry_connect_unix', ['i32', 'text'], types.connection),
    peerPidfd: number('wherry_peer_pidfd', 'i32'),
    pidfdOpen: number('wherry_pidfd_open', 'i32', 'u64'),
    pidfdAlive: number('wherry_pidfd_alive', 'i32'),
    netnsOf: number('wherry_netns_of', 'i32', 'i32'),
    openDevice: number('wherry_open_device', 'text'),
    kvm: number('wherry_kvm', 'u32s', 'i32s', 'u32'),
    close: number('wherry_close', 'i32'),
    handOver: number('wherry_hand_over', 'i32', 'text', 'bytes', 'u32', 'i32s', 'u32', 'i64', 'u32'),
    setUpTap: number('wherry_set_up_tap', 'i32', 'text', 'text', 'u32', 'u32', 'i64'),
    removeTap: number('wherry_remove_tap', 'i32', 'text'),
    openDhcpSocket: number('wherry_open_dhcp_socket', 'i32', 'text'),
    openBlockDevice: number('wherry_open_block_device', 'i32', 'i32', 'text', 'u32', 'u32'),
    linkInfo: number('wherry_link_info', 'i32', 'text'),
  };
};
