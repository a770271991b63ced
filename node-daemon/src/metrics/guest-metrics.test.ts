import {expect, test} from '@jest/globals';
import {Registry} from 'prom-client';
import {instance} from '../testing/instances.ts';
import {guestFamilies} from './families.ts';
import {registerGuestMetrics} from './guest-metrics.ts';
import {registerNodeMetrics} from './node-metrics.ts';
import type {GuestSample} from './sample.ts';

const counters = {
  rxBytes: 1,
  rxPackets: 2,
  rxErrors: 3,
  rxDropped: 4,
  txBytes: 5,
  txPackets: 6,
  txErrors: 7,
  txDropped: 8,
};

const sample = (overrides: Partial<GuestSample> = {}): GuestSample => ({
  vmi: instance({
    status: {
      phase: 'Running',
      memory: {guestCurrent: '256Mi'},
      guestOSInfo: {name: 'Debian GNU/Linux', versionId: '13'},
    },
  }),
  stats: {
    disks: [
      {
        disk: 'root',
        readBytes: 4096,
        writtenBytes: 512,
        reads: 2,
        writes: 1,
        flushes: 3,
        readSeconds: 0.5,
        writeSeconds: 0.25,
        flushSeconds: 0.125,
      },
    ],
    memory: {actual: 268_435_456, unused: 1000},
    vcpuThreads: [{vcpu: 0, thread: 7}],
  },
  process: {userSeconds: 3, systemSeconds: 1, residentBytes: 9000},
  vcpus: [{vcpu: 0, userSeconds: 2, systemSeconds: 0.5, delaySeconds: 0.1}],
  interfaces: [{name: 'default', counters}],
  panicked: false,
  ...overrides,
});

const scrape = async (samples: readonly GuestSample[]): Promise<string> => {
  const registry = new Registry();
  registerGuestMetrics({node: 'n1', registry, sample: async () => samples});
  return registry.metrics();
};

const guest = 'node="n1",namespace="default",name="guest"';

test.each([
  ['CPU time of the whole engine', `kubevirt_vmi_cpu_usage_seconds_total{${guest}} 4`],
  ['CPU time of a vCPU', `kubevirt_vmi_vcpu_seconds_total{${guest},id="0",state="running"} 2.5`],
  ['resident memory', `kubevirt_vmi_memory_resident_bytes{${guest}} 9000`],
  ['memory of the machine', `kubevirt_vmi_memory_domain_bytes{${guest}} 268435456`],
  ['memory that the guest does not use', `kubevirt_vmi_memory_unused_bytes{${guest}} 1000`],
  ['disk traffic', `kubevirt_vmi_storage_read_traffic_bytes_total{${guest},drive="root"} 4096`],
  ['disk requests', `kubevirt_vmi_storage_iops_write_total{${guest},drive="root"} 1`],
  [
    'what the guest received, which its tap has sent',
    `kubevirt_vmi_network_receive_bytes_total{${guest},interface="default"} 5`,
  ],
  ['what the guest sent', `kubevirt_vmi_network_transmit_packets_total{${guest},interface="default"} 2`],
])('%s is published under KubeVirt’s name', async (_what, line) => {
  expect((await scrape([sample()])).split('\n')).toContain(line);
});

test('the guest’s state and system stand on its info metric', async () => {
  const line = (await scrape([sample()])).split('\n').find(text => text.startsWith('kubevirt_vmi_info{'));
  expect(line).toMatch(/phase="running".*guest_os_name="Debian GNU\/Linux".*guest_os_version_id="13".*} 1$/);
});

test('what is not known is left out, and the rest is published', async () => {
  const text = await scrape([sample({stats: undefined, process: undefined, vcpus: []})]);
  expect(text).not.toMatch(/^kubevirt_vmi_(cpu|vcpu|storage)\w*\{/m);
  expect(text).not.toMatch(/^kubevirt_vmi_memory_unused/m);
  expect(text).toMatch(/^kubevirt_vmi_network_receive_bytes_total\{/m);
});

test('a guest that is gone leaves no series behind, and all families share one measurement', async () => {
  const registry = new Registry();
  let samples: readonly GuestSample[] = [sample()];
  let measured = 0;
  registerGuestMetrics({
    node: 'n1',
    registry,
    sample: async () => {
      measured++;
      return samples;
    },
  });
  expect(await registry.metrics()).toMatch(/kubevirt_vmi_info\{/);
  samples = [];
  expect(await registry.metrics()).not.toMatch(/kubevirt_vmi_info\{/);
  expect(measured).toBe(2);
});

test('no family is named twice', () => {
  expect(new Set(guestFamilies.map(({name}) => name)).size).toBe(guestFamilies.length);
});

test('the node says what its KVM is worth, how many guests it holds and how long its event loop lags', async () => {
  const registry = new Registry();
  registerNodeMetrics({
    node: 'n1',
    registry,
    kvm: () => ({verdict: 'broken', reason: 'r', cpuid: []}),
    guests: () => 3,
  });
  const text = await registry.metrics();
  expect(text).toContain('wherry_node_kvm{node="n1",verdict="broken"} 1');
  expect(text).toContain('wherry_node_kvm{node="n1",verdict="usable"} 0');
  expect(text).toContain('wherry_node_guests{node="n1"} 3');
  expect(text).toContain('nodejs_eventloop_lag_seconds');
});
