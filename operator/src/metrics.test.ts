import {expect, test} from '@jest/globals';
import {Registry} from 'prom-client';
import {registerMetrics} from './metrics.ts';
import {aMachine, anInstance, running} from './testing/fixtures.ts';

const scrape = async (machines: ReturnType<typeof aMachine>[], instances: ReturnType<typeof anInstance>[]) => {
  const registry = new Registry();
  registerMetrics(registry, {list: () => machines}, {list: () => instances});
  return registry.metrics();
};

test('each machine is shown with its status and the group of it', async () => {
  const text = await scrape(
    [aMachine({status: {printableStatus: 'CrashLoopBackOff'}}), aMachine({metadata: {name: 'new'}})],
    [],
  );
  expect(text).toContain(
    'kubevirt_vm_info{name="web",namespace="default",status="crashloopbackoff",status_group="error"} 1',
  );
  expect(text).toContain('name="new",namespace="default",status="unknown"');
});

test('instances are counted by phase and node', async () => {
  const text = await scrape([], [anInstance({status: running}), anInstance({status: running}), anInstance()]);
  expect(text).toContain('kubevirt_vmi_phase_count{phase="running",node="n1"} 2');
  expect(text).toContain('kubevirt_vmi_phase_count{phase="unset",node=""} 1');
});

test('what is gone is no longer shown at the next scrape', async () => {
  const machines = [aMachine()];
  const registry = new Registry();
  registerMetrics(registry, {list: () => machines}, {list: () => []});
  expect(await registry.metrics()).toContain('name="web"');
  machines.pop();
  expect(await registry.metrics()).not.toContain('name="web"');
});
