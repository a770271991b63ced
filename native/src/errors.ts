/**
 * Every error that this package throws. The numbers are the C ABI's (`native/host/src/error.rs`); a test compares both lists.
 */

/** Code of an error and its number in the C ABI. Numbers are never reused. */
export const NativeErrorNumber = {
  /** An argument that the library refuses; a bug of the caller. */
  InvalidArgument: 1,
  /** No such file, process or device. */
  NotFound: 2,
  /** Nobody listens on the socket. */
  Refused: 3,
  /** Taken or overloaded now: a full backlog, a tap in use, too many library threads. Worth another try. */
  Busy: 4,
  /** The path leaves its folder or crosses a symbolic link. Hostile or broken pod content. */
  Escapes: 5,
  /** The thing is there but is no socket, folder or network namespace. */
  WrongType: 6,
  /** The other side did not answer in time. */
  TimedOut: 7,
  /** The other side closed before a whole answer came. */
  PeerClosed: 8,
  /** A frame above the protocol's limit. */
  TooLarge: 9,
  /** The process is gone, or its number belongs to another one now. */
  ProcessGone: 10,
  /** The kernel refuses: a missing capability, a device cgroup, a read-only /proc/sys. */
  PermissionDenied: 11,
  /** The kernel lacks this. */
  Unsupported: 12,
  /** Any other failure of a system call; `errno` says which. */
  System: 13,
  /** A panic inside the library, caught at its border. A bug of ours. */
  Panicked: 14,
} as const;

export type NativeErrorCode =
  | keyof typeof NativeErrorNumber
  /** libwherry.so is not where it was looked for, or cannot be loaded. */
  | 'LibraryMissing'
  /** libwherry.so was built from another version of this package. */
  | 'LibraryMismatch'
  /** The object (folder, host) was closed before. */
  | 'Closed';

export interface NativeErrorOptions extends ErrorOptions {
  /** Linux error number, where a system call failed. */
  readonly errno?: number;
}

export class NativeError extends Error {
  override readonly name = 'NativeError';
  readonly code: NativeErrorCode;
  /** Linux error number (`2` is ENOENT), or 0 where no system call failed. */
  readonly errno: number;

  constructor(code: NativeErrorCode, message: string, options: NativeErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.errno = options.errno ?? 0;
  }
}

const codeOfNumber: ReadonlyMap<number, NativeErrorCode> = new Map(
  Object.entries(NativeErrorNumber).map(([code, number]) => [number, code as NativeErrorCode]),
);

/** A number that this package does not know comes from a newer library: a plain `System`. */
export const nativeErrorOf = (number: number, errno: number, message: string): NativeError =>
  new NativeError(codeOfNumber.get(number) ?? 'System', message, {errno});

/** Whether `error` is a NativeError with one of these codes. */
export const isNativeError = (error: unknown, ...codes: readonly NativeErrorCode[]): error is NativeError =>
  error instanceof NativeError && (codes.length === 0 || codes.includes(error.code));
