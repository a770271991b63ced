import {expect, test} from '@jest/globals';
import {Registry} from 'prom-client';
import {registerDaemonMetrics} from './metrics.ts';

test('silent daemons are counted, and each is named with its silence', async () => {
  const registry = new Registry();
  const watch = {states: ['answers', 'answers', 'silent'] as const, silences: new Map([['n1', 41.5]])};
  registerDaemonMetrics(registry, watch);
  const text = await registry.metrics();
  expect(text).toContain('wherry_node_daemons{state="answers"} 2');
  expect(text).toContain('wherry_node_daemons{state="silent"} 1');
  expect(text).toContain('wherry_node_daemons{state="missing"} 0');
  expect(text).toContain('wherry_node_daemon_silent_seconds{node="n1"} 41.5');
  watch.silences.clear();
  expect(await registry.metrics()).not.toContain('node="n1"');
});
