import {Counter, Gauge, Histogram, type MetricObjectWithValues, type MetricValue, type Registry} from 'prom-client';

/**
 * Metrics under one name belong to all who share a registry, so that several controllers and caches feed the same
 * series: each is made once per registry.
 */
export const counter = <L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly L[] = [],
): Counter<L> =>
  (registry.getSingleMetric(name) as Counter<L> | undefined) ??
  new Counter<L>({name, help, labelNames: [...labelNames], registers: [registry]});

export const gauge = <L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly L[] = [],
): Gauge<L> =>
  (registry.getSingleMetric(name) as Gauge<L> | undefined) ??
  new Gauge<L>({name, help, labelNames: [...labelNames], registers: [registry]});

export const histogram = <L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly L[],
  buckets: readonly number[],
): Histogram<L> =>
  (registry.getSingleMetric(name) as Histogram<L> | undefined) ??
  new Histogram<L>({name, help, labelNames: [...labelNames], buckets: [...buckets], registers: [registry]});

/** Seconds, as controller-runtime has them for reconciles and queues. */
export const latencyBuckets: readonly number[] = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

/** A gauge that asks at each scrape, for what grows while nothing happens. */
export class SampledGauge<L extends string> extends Gauge<L> {
  readonly #samplers: (() => void)[] = [];

  /** `sample` sets the values of its own labels. */
  onScrape(sample: () => void): void {
    this.#samplers.push(sample);
  }

  override async get(): Promise<MetricObjectWithValues<MetricValue<L>>> {
    for (const sample of this.#samplers) sample();
    return super.get();
  }
}

export const sampled = <L extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly L[] = [],
): SampledGauge<L> =>
  (registry.getSingleMetric(name) as SampledGauge<L> | undefined) ??
  new SampledGauge<L>({name, help, labelNames: [...labelNames], registers: [registry]});
