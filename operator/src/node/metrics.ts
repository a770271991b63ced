import {Gauge, type Registry} from 'prom-client';
import type {DaemonWatch} from './daemon-watch.ts';
import type {DaemonState} from './sighting.ts';

const states: readonly DaemonState[] = ['answers', 'unknown', 'silent', 'missing'];

/** What to alert on when nodes are lost. The leader alone watches, so the gauges of the others are 0 and empty. */
export const registerDaemonMetrics = (registry: Registry, watch: Pick<DaemonWatch, 'states' | 'silences'>): void => {
  registry.registerMetric(
    new Gauge({
      name: 'wherry_node_daemons',
      help: 'Node-daemons by what is heard of them: answers, unknown (watched too shortly), silent, missing.',
      labelNames: ['state'],
      registers: [],
      collect() {
        for (const state of states) this.set({state}, 0);
        for (const state of watch.states) this.inc({state});
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: 'wherry_node_daemon_silent_seconds',
      help: 'How long a silent node-daemon was not heard of, by its node; absent while it answers.',
      labelNames: ['node'],
      registers: [],
      collect() {
        this.reset();
        for (const [node, seconds] of watch.silences) this.set({node}, seconds);
      },
    }),
  );
};
