/** Every error that this package throws. `code` is stable; the message names the object and the remedy. */

export type DaemonErrorCode =
  /** The engine of this guest cannot do what was asked. Asking again is useless. */
  | 'UNSUPPORTED_OPERATION'
  /** The instance asks for a machine that no engine here can make. */
  | 'UNSUPPORTED_MACHINE'
  /** Something that a plan needs is not known yet. */
  | 'NOT_READY'
  /** A launcher sent what the protocol does not allow. Its connection is closed; nothing else suffers. */
  | 'PROTOCOL'
  /** The launcher refused a request. */
  | 'REFUSED'
  /** The connection to the launcher ended before an answer came. */
  | 'CONNECTION_CLOSED'
  /** No answer in time. */
  | 'TIMED_OUT'
  /** The engine answered a command with an error. */
  | 'ENGINE'
  /** A program of the node (nft, self-test) failed. */
  | 'PROGRAM_FAILED'
  /** A setting of the daemon itself is missing or wrong. */
  | 'CONFIGURATION';

export class DaemonError extends Error {
  override readonly name = 'DaemonError';
  readonly code: DaemonErrorCode;

  constructor(code: DaemonErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export const isDaemonError = (error: unknown, ...codes: readonly DaemonErrorCode[]): error is DaemonError =>
  error instanceof DaemonError && (codes.length === 0 || codes.includes(error.code));

/** An operation of the engine interface that this engine lacks; its capabilities say so before anybody asks. */
export const unsupportedOperation = (engine: string, operation: string): DaemonError =>
  new DaemonError('UNSUPPORTED_OPERATION', `the ${engine} engine cannot ${operation}`);

export const unsupportedMachine = (message: string): DaemonError => new DaemonError('UNSUPPORTED_MACHINE', message);

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
