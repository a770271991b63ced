import type {Registry} from 'prom-client';
import {counter, gauge, histogram, latencyBuckets} from '../metrics.ts';

/** How a reconcile ended, as controller-runtime labels it. */
export type Outcome = 'success' | 'error' | 'requeue_after' | 'conflict' | 'not_current';

const outcomes: readonly Outcome[] = ['success', 'error', 'requeue_after', 'conflict', 'not_current'];

/** One controller's series, under controller-runtime's names, so that public dashboards fit. */
export class ControllerMetrics {
  readonly #controller: string;
  readonly #registry: Registry;

  constructor(registry: Registry, controller: string, concurrency: number) {
    this.#registry = registry;
    this.#controller = controller;
    for (const result of outcomes) this.#total().inc({controller, result}, 0);
    for (const series of [this.#errors(), this.#terminal(), this.#panics(), this.#timeouts()])
      series.inc({controller}, 0);
    gauge(registry, 'controller_runtime_max_concurrent_reconciles', 'Reconciles that may run at once.', [
      'controller',
    ]).set({controller}, concurrency);
    this.#active().set({controller}, 0);
  }

  began(): void {
    this.#active().inc({controller: this.#controller});
  }

  ended(outcome: Outcome, ms: number): void {
    const controller = this.#controller;
    this.#active().dec({controller});
    this.#total().inc({controller, result: outcome});
    histogram(
      this.#registry,
      'controller_runtime_reconcile_time_seconds',
      'Time of a reconcile.',
      ['controller'],
      latencyBuckets,
    ).observe({controller}, ms / 1000);
  }

  failed(kind: 'error' | 'terminal' | 'panic' | 'timeout'): void {
    const controller = this.#controller;
    this.#errors().inc({controller});
    if (kind === 'terminal') this.#terminal().inc({controller});
    if (kind === 'panic') this.#panics().inc({controller});
    if (kind === 'timeout') this.#timeouts().inc({controller});
  }

  #total() {
    return counter(this.#registry, 'controller_runtime_reconcile_total', 'Reconciles, by result.', [
      'controller',
      'result',
    ]);
  }
  #errors() {
    return counter(this.#registry, 'controller_runtime_reconcile_errors_total', 'Reconciles that failed.', [
      'controller',
    ]);
  }
  #terminal() {
    return counter(
      this.#registry,
      'controller_runtime_terminal_reconcile_errors_total',
      'Failures that are not tried again.',
      ['controller'],
    );
  }
  #panics() {
    return counter(
      this.#registry,
      'controller_runtime_reconcile_panics_total',
      'Reconciles that broke on a bug of their own.',
      ['controller'],
    );
  }
  #timeouts() {
    return counter(this.#registry, 'controller_runtime_reconcile_timeouts_total', 'Reconciles that took too long.', [
      'controller',
    ]);
  }
  #active() {
    return gauge(this.#registry, 'controller_runtime_active_workers', 'Reconciles under way.', ['controller']);
  }
}
