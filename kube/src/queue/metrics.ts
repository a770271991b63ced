import type {Registry} from 'prom-client';
import {counter, gauge, histogram, latencyBuckets, sampled} from '../metrics.ts';
import type {QueueObserver, WorkQueue} from './work-queue.ts';

const labelNames = ['name', 'controller'] as const;

/** Tells of a controller's queue under client-go's names. `queue` is asked at each scrape how long its work takes. */
export const observeQueue = (registry: Registry, controller: string, queue: () => WorkQueue): QueueObserver => {
  const labels = {name: controller, controller};
  const ofKind = (name: string, help: string) => counter(registry, `workqueue_${name}`, help, labelNames);
  const timeOf = (name: string, help: string) =>
    histogram(registry, `workqueue_${name}`, help, labelNames, latencyBuckets);
  const depth = gauge(registry, 'workqueue_depth', 'Keys that wait.', labelNames);
  const adds = ofKind('adds_total', 'Keys added.');
  const retries = ofKind('retries_total', 'Keys added again after a failure.');
  const waited = timeOf('queue_duration_seconds', 'Time that a key waited.');
  const worked = timeOf('work_duration_seconds', 'Time that work on a key took.');
  const scraped = (name: string, help: string, ms: () => number): void => {
    const series = sampled(registry, `workqueue_${name}`, help, labelNames);
    series.onScrape(() => series.set(labels, ms() / 1000));
  };
  scraped('longest_running_processor_seconds', 'Time of the longest work under way.', () => queue().longestWorkMs);
  scraped('unfinished_work_seconds', 'Time of all work under way.', () => queue().unfinishedWorkMs);
  depth.set(labels, 0);
  adds.inc(labels, 0);
  retries.inc(labels, 0);
  return {
    added: now => {
      adds.inc(labels);
      depth.set(labels, now);
    },
    started: (now, waitedMs) => {
      depth.set(labels, now);
      waited.observe(labels, waitedMs / 1000);
    },
    finished: tookMs => worked.observe(labels, tookMs / 1000),
    retried: () => retries.inc(labels),
  };
};
