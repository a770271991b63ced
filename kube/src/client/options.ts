import type {Registry} from 'prom-client';
import type {Clock} from '../clock.ts';
import type {KubeConfig} from './kube-config.ts';

export interface ClientOptions {
  readonly kubeConfig: KubeConfig;
  /** `program/version`, as audit logs show it. */
  readonly userAgent: string;
  readonly registry: Registry;
  /** Defaults to the system's. */
  readonly clock?: Clock;
  /** Most tries of a call that the server asks to repeat later. Defaults to 3. */
  readonly tries?: number;
  /** Longest wait that a server may ask for, ms. Defaults to 10,000. */
  readonly maxRetryAfterMs?: number;
  /** Time for one call, ms. Defaults to 30,000. */
  readonly timeoutMs?: number;
  /** How long a watch may be without a whole event, ms; bookmarks come every minute. Defaults to 120,000. */
  readonly watchIdleMs?: number;
  /** In [0, 1). Defaults to Math.random. */
  readonly random?: () => number;
  /** Called before each write is sent; what it throws is the outcome of the write. */
  readonly guard?: () => void;
}

export interface WriteOptions {
  /** Who owns the fields written: one name per role. */
  readonly fieldManager?: string;
  readonly signal?: AbortSignal;
}

export interface Selection {
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
  /** There is more: the token of the next page. */
  readonly continueToken?: string;
}

export interface DeleteOptions {
  /** Only if the object still has this uid: never its successor of the same name. */
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly signal?: AbortSignal;
}
