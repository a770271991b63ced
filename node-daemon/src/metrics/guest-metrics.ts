/** Publishes the guests' metrics: measured when they are scraped, never in between. */
import {Counter, Gauge, type Registry} from 'prom-client';
import {type Family, guestFamilies} from './families.ts';
import type {GuestSample} from './sample.ts';

export interface GuestMetricsOptions {
  readonly node: string;
  readonly registry: Registry;
  /** Measures all guests of the node, in bounded time. */
  readonly sample: () => Promise<readonly GuestSample[]>;
}

const COMMON = ['node', 'namespace', 'name'];

/** All families of one scrape share one measurement: they ask within the same turn of the event loop. */
export const registerGuestMetrics = ({node, registry, sample}: GuestMetricsOptions): void => {
  let running: Promise<readonly GuestSample[]> | undefined;
  const shared = (): Promise<readonly GuestSample[]> => {
    running ??= sample().finally(() => {
      running = undefined;
    });
    return running;
  };
  for (const family of guestFamilies) register(family, node, registry, shared);
};

const register = (
  family: Family,
  node: string,
  registry: Registry,
  sample: () => Promise<readonly GuestSample[]>,
): void => {
  const configuration = {
    name: family.name,
    help: family.help,
    labelNames: [...COMMON, ...family.labels],
    registers: [registry],
    collect: async () => {
      const samples = await sample();
      // A guest that is gone leaves no series behind.
      metric.reset();
      for (const one of samples) {
        const {namespace = '', name = ''} = one.vmi.metadata;
        for (const [labels, value] of family.values(one)) metric.inc({node, namespace, name, ...labels}, value);
      }
    },
  };
  const metric: Counter | Gauge = family.type === 'counter' ? new Counter(configuration) : new Gauge(configuration);
};
