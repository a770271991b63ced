import {readFileSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import type {Registry} from 'prom-client';
import {type Clock, pause, systemClock} from '../clock.ts';
import {ConfigError} from '../errors.ts';
import type {Log} from '../log.ts';
import type {Runnable} from '../manager/manager.ts';
import {gauge} from '../metrics.ts';

/** A value that may change while the process runs. */
export interface Live<T> {
  readonly current: T;
  /** Calls `listener` after each change; it must not throw. */
  onChange(listener: (current: T) => void): void;
  /** Calls `listener` with what is wrong with a new value that was refused; it must not throw. */
  onRefused(listener: (error: Error) => void): void;
}

/** A value that stays. */
export const fixed = <T>(value: T): Live<T> => ({
  current: value,
  onChange: () => undefined,
  onRefused: () => undefined,
});

export interface LiveFileOptions<T> {
  readonly path: string;
  /** The value that a text stands for. What it throws says what is wrong with the text. */
  readonly parse: (text: string) => T;
  /** First part of the metrics' names: `wherry_config` gives `wherry_config_last_reload_successful`. */
  readonly metric: string;
  /** How often the file is looked at, ms. Defaults to 2,000. */
  readonly everyMs?: number;
  readonly log: Log;
  readonly registry: Registry;
  /** Defaults to the system's. */
  readonly clock?: Clock;
}

/**
 * A file that is read again when its text changes. One that cannot be read or parsed is refused, and the value before it
 * stays in force.
 *
 * It is polled: the kubelet replaces a mounted ConfigMap by turning a symbolic link in its folder, which a watch on the
 * file never sees, and a read of some hundred bytes costs less than to follow links with watches.
 */
export class LiveFile<T> implements Live<T>, Runnable {
  readonly #options: LiveFileOptions<T>;
  readonly #changed: ((current: T) => void)[] = [];
  readonly #refused: ((error: Error) => void)[] = [];
  #text: string;
  #current: T;

  /** @throws ConfigError that names the file, where it cannot be read or parsed: there is no value before it. */
  constructor(options: LiveFileOptions<T>) {
    this.#options = options;
    try {
      this.#text = readFileSync(options.path, 'utf8');
      this.#current = options.parse(this.#text);
    } catch (cause) {
      throw refusal(options.path, cause);
    }
    this.#took();
  }

  get current(): T {
    return this.#current;
  }

  onChange(listener: (current: T) => void): void {
    this.#changed.push(listener);
  }

  onRefused(listener: (error: Error) => void): void {
    this.#refused.push(listener);
  }

  async run(signal: AbortSignal): Promise<void> {
    const {clock = systemClock, everyMs = 2000} = this.#options;
    while (!signal.aborted) {
      await pause(clock, everyMs, signal);
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    const {path, parse, log} = this.#options;
    // A file that is gone is one more text that is refused, once.
    const text = await readFile(path, 'utf8').catch((error: Error) => error);
    const seen = typeof text === 'string' ? text : text.message;
    if (seen === this.#text) return;
    this.#text = seen;
    try {
      if (typeof text !== 'string') throw text;
      this.#current = parse(text);
    } catch (cause) {
      return this.#refuse(refusal(path, cause));
    }
    log.info({path}, 'configuration reloaded');
    this.#took();
    for (const listener of this.#changed) listener(this.#current);
  }

  #refuse(error: ConfigError): void {
    const {path, log} = this.#options;
    log.error({path, reason: error.message}, 'configuration refused; the one before stays in force');
    this.#success.set(0);
    for (const listener of this.#refused) listener(error);
  }

  #took(): void {
    const {registry, metric, clock = systemClock} = this.#options;
    this.#success.set(1);
    gauge(
      registry,
      `${metric}_last_reload_success_timestamp_seconds`,
      'When the configuration in force was read, in Unix time.',
    ).set(clock.now() / 1000);
  }

  get #success() {
    const {registry, metric} = this.#options;
    return gauge(
      registry,
      `${metric}_last_reload_successful`,
      'Whether the last change of the configuration was taken; 0 means that it was refused and the one before is in force.',
    );
  }
}

const refusal = (path: string, cause: unknown): ConfigError =>
  new ConfigError(`${path}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
