/** Every error that the kit throws, each with a stable `code`. */

export type KubeErrorCode =
  | 'KUBE_API'
  | 'KUBE_TRANSPORT'
  | 'KUBE_TIMEOUT'
  | 'KUBE_MALFORMED'
  | 'KUBE_STALE'
  | 'KUBE_CONFIG'
  | 'KUBE_SYNC_TIMEOUT'
  | 'KUBE_TERMINAL'
  | 'KUBE_LEASE_LOST'
  | 'KUBE_STOP_TIMEOUT';

export class KubeError extends Error {
  readonly code: KubeErrorCode;

  constructor(code: KubeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The part of a `v1.Status` that a failed call answers with. */
export interface StatusBody {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly {readonly reason?: string; readonly message?: string; readonly field?: string}[];
  };
}

/** The API server answered, and refused. */
export class ApiError extends KubeError {
  /** HTTP status. */
  readonly status: number;
  /** Machine-readable, such as `NotFound`; empty where the server gave none. */
  readonly reason: string;
  readonly details: StatusBody['details'];
  /** What the server asked to wait before the next try, ms. */
  readonly retryAfterMs: number | undefined;

  constructor(status: number, body: StatusBody, context: {readonly call: string; readonly retryAfterMs?: number}) {
    super('KUBE_API', `${context.call}: ${body.message ?? `HTTP ${status}`}`);
    this.status = status;
    this.reason = body.reason ?? '';
    this.details = body.details;
    const seconds = body.details?.retryAfterSeconds;
    this.retryAfterMs = context.retryAfterMs ?? (seconds === undefined ? undefined : seconds * 1000);
  }

  /** There is no such object. A 404 without this reason means that the kind itself is not served. */
  get isNotFound(): boolean {
    return this.status === 404 && this.reason === 'NotFound';
  }

  /** The object changed since it was read, or exists already; see {@link isAlreadyExists}. */
  get isConflict(): boolean {
    return this.status === 409 && !this.isAlreadyExists;
  }

  get isAlreadyExists(): boolean {
    return this.status === 409 && this.reason === 'AlreadyExists';
  }

  /** The resourceVersion or continue token is older than what the server keeps: list anew. */
  get isGone(): boolean {
    return this.status === 410 || this.reason === 'Expired';
  }

  /** The same call may succeed later, with nothing changed by the caller. */
  get isRetryable(): boolean {
    return this.status === 429 || this.status >= 500;
  }
}

/** No whole answer came: refused, reset or TLS. A write may or may not have happened. */
export class TransportError extends KubeError {
  constructor(call: string, cause: unknown) {
    super('KUBE_TRANSPORT', `${call}: ${cause instanceof Error ? cause.message : String(cause)}`, {cause});
  }
}

/** The answer took longer than the call's time-out. A write may or may not have happened. */
export class CallTimeoutError extends KubeError {
  constructor(call: string, timeoutMs: number) {
    super('KUBE_TIMEOUT', `${call}: no answer within ${timeoutMs} ms`);
  }
}

/** What the server sent is not what the protocol says. */
export class MalformedError extends KubeError {
  constructor(call: string, what: string, cause?: unknown) {
    super('KUBE_MALFORMED', `${call}: ${what}`, {cause});
  }
}

/** A cache did not learn of an own write in time: its watch is dead, or the object lies outside its selection. */
export class StaleCacheError extends KubeError {
  constructor(cache: string, key: string, waitedMs: number) {
    super('KUBE_STALE', `cache of ${cache} has not seen the own write to ${key} for ${waitedMs} ms: it lists anew`);
  }
}

/** The connection's description cannot be used; the text names the file or field. */
export class ConfigError extends KubeError {
  constructor(message: string, cause?: unknown) {
    super('KUBE_CONFIG', message, {cause});
  }
}

/** A cache did not fill in time: the API server is away, or RBAC forbids the list. */
export class SyncTimeoutError extends KubeError {
  constructor(cache: string, timeoutMs: number, cause?: unknown) {
    super(
      'KUBE_SYNC_TIMEOUT',
      `cache of ${cache} not filled within ${timeoutMs} ms: check that the API server answers and RBAC allows list and watch`,
      {cause},
    );
  }
}

/** Thrown by a reconcile that no retry can help; the key waits for the next change. */
export class TerminalError extends KubeError {
  constructor(message: string, options?: ErrorOptions) {
    super('KUBE_TERMINAL', message, options);
  }
}

/** Another replica may lead by now: the process must end. */
export class LeaseLostError extends KubeError {
  constructor(lease: string) {
    super('KUBE_LEASE_LOST', `lease ${lease} lost: another replica may lead, so this process ends`);
  }
}

/** A part of the process did not end when told to. Its cause is what made it stop, if that was a failure. */
export class StopTimeoutError extends KubeError {
  constructor(timeoutMs: number, cause?: unknown) {
    super('KUBE_STOP_TIMEOUT', `a part of the process did not end within ${timeoutMs} ms: it ends with the process`, {
      cause,
    });
  }
}

/** The server is away or in trouble, whatever the object: worth a try soon, also after many failures. */
export const isServerTrouble = (error: unknown): boolean =>
  error instanceof TransportError ||
  error instanceof CallTimeoutError ||
  (error instanceof ApiError && error.isRetryable);

export const isConflict = (error: unknown): boolean => error instanceof ApiError && error.isConflict;
