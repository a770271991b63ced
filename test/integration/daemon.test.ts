/** The node-daemon with everything real but the kubelet: API server with the chart's rights, native library, launcher, QEMU and a guest. */
import {randomUUID} from 'node:crypto';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {type Accelerator, LauncherExit, parseConfig, type VirtualMachineInstance} from '@wherry/api';
import {Client, EventRecorder, fixed, type KubeConfig, systemClock} from '@wherry/kube';
import {loadHost} from '@wherry/native';
import {Daemon, type Settings} from '@wherry/node-daemon';
import {Registry} from 'prom-client';
import {run} from '../../scripts/core/command.ts';
import {repository} from '../../scripts/core/paths.ts';
import {Account} from '../support/accounts.ts';
import {ChartTarget} from '../support/chart.ts';
import {type ControlPlane, startControlPlane} from '../support/control-plane.ts';
import {eventually} from '../support/eventually.ts';
import {FakeVmPod, type PodPrograms} from '../support/fake-node.ts';
import {tinyInstanceSpec} from '../support/guests.ts';
import {podPrograms} from '../support/pod-programs.ts';

jest.setTimeout(180_000);

const NODE = 'n1';
const selfTest = join(repository, 'target/release/wherry-kvm-selftest');
const quiet = {debug: () => {}, info: () => {}, warn: () => {}, error: () => {}};

let plane: ControlPlane;
/** Of the daemon: what it may do is part of every test. */
let account: Account;
let programs: PodPrograms;
let daemon: RunningDaemon;
let pod: FakeVmPod;

/** A daemon in this process, until it is stopped. */
class RunningDaemon {
  readonly daemon: Daemon;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor(daemon: Daemon) {
    this.daemon = daemon;
    this.#ended = daemon.run(this.#stop.signal);
  }

  static async start(pods: string): Promise<RunningDaemon> {
    const settings: Settings = {
      node: NODE,
      pods,
      library: undefined,
      selfTest,
      netns: join(repository, 'target/release/wherry-netns'),
      healthPort: 0,
      metricsPort: 0,
      configPath: '',
      namespace: 'wherry',
      pod: 'wherry-node-daemon-test',
      leaseSeconds: 8,
    };
    const registry = new Registry();
    const kubeConfig: KubeConfig = {
      url: plane.url,
      tls: async () => ({ca: plane.admin.ca}),
      headers: async () => ({authorization: `Bearer ${account.token}`}),
    };
    const client = new Client({kubeConfig, userAgent: 'test', registry});
    const recorder = new EventRecorder({client, component: 'wherry-node-daemon', host: NODE, log: quiet});
    const config = fixed(parseConfig('{"launcherImage": "wherry/launcher:test"}'));
    const parts = {settings, config, host: loadHost(), client, recorder, registry, clock: systemClock, log: quiet};
    return new RunningDaemon(new Daemon(parts));
  }

  async get(port: 'health' | 'metrics', path: string): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.daemon.manager.ports?.[port]}${path}`);
    return `${response.status} ${await response.text()}`;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }
}

const kubectl = (...args: string[]): Promise<string> => run(plane.kubectl, ['--kubeconfig', plane.kubeconfig, ...args]);

const create = (object: object): Promise<string> =>
  run('sh', [
    '-c',
    `echo "$0" | ${plane.kubectl} --kubeconfig ${plane.kubeconfig} create -f -`,
    JSON.stringify(object),
  ]);

const instance = async (name: string): Promise<VirtualMachineInstance> =>
  JSON.parse(await kubectl('get', 'vmi', name, '-o', 'json')) as VirtualMachineInstance;

const conditions = (vmi: VirtualMachineInstance): Record<string, string> =>
  Object.fromEntries((vmi.status?.conditions ?? []).map(({type, status}) => [type, status]));

const info = async (host: string): Promise<{bootId: string; uptime: number}> =>
  JSON.parse(
    await run('curl', ['-sS', '--fail', '--noproxy', '*', '--max-time', '5', `http://${host}/cgi-bin/info`]),
  ) as never;

/** Its uid. */
const createInstance = async (name: string, spec: object): Promise<string> => {
  const kind = 'VirtualMachineInstance';
  await create({apiVersion: 'kubevirt.io/v1', kind, metadata: {name, namespace: 'default'}, spec});
  return (await instance(name)).metadata.uid ?? '';
};

/** The operator's hand-over: a pod runs on the node. */
const handOver = async (name: string, podUid: string, accelerator: Accelerator): Promise<void> => {
  const emulated = {type: 'SoftwareEmulation', status: 'True', reason: 'NoHardwareVirtualization'};
  const status = {
    phase: 'Scheduled',
    nodeName: NODE,
    activePods: {[podUid]: NODE},
    conditions: accelerator === 'tcg' ? [emulated] : [],
    volumeStatus: [{name: 'data', target: '', persistentVolumeClaimInfo: {capacity: {storage: '32Mi'}}}],
  };
  await kubectl('patch', 'vmi', name, '--subresource=status', '--type=merge', '-p', JSON.stringify({status}));
};

const podUid = randomUUID();

const cloudInitNoCloud = {userData: '#!/bin/sh\necho the seed was read >/dev/console\n'};
const volumes = [
  {name: 'data', persistentVolumeClaim: {claimName: 'data'}},
  {name: 'scratch', emptyDisk: {capacity: '16Mi'}},
  {name: 'seed', cloudInitNoCloud},
  {name: 'disc', cloudInitNoCloud},
];
const disks = [
  {name: 'data', disk: {bus: 'virtio'}},
  {name: 'scratch', disk: {bus: 'virtio'}},
  {name: 'seed', disk: {bus: 'virtio'}},
  {name: 'disc', cdrom: {bus: 'sata'}},
];

beforeAll(async () => {
  [plane, programs] = await Promise.all([startControlPlane(), podPrograms()]);
  await new ChartTarget(plane).install();
  await create({apiVersion: 'v1', kind: 'Node', metadata: {name: NODE}});
  account = await Account.onNode(plane, 'wherry-node-daemon', NODE);
  const instanceUid = await createInstance('guest', tinyInstanceSpec('unused', {disks, volumes}));
  pod = await FakeVmPod.start(programs, {podUid, instanceUid, name: 'guest', claims: ['data']});
  daemon = await RunningDaemon.start(pod.pods);
}, 600_000);

afterAll(async () => {
  await daemon?.stop();
  await pod?.stop();
  await plane?.stop();
});

test('the daemon is ready once its node says what KVM is worth there', async () => {
  await eventually(async () => expect(await daemon.get('health', '/readyz')).toBe('200 ok\n'), {timeoutMs: 30_000});
  const node = JSON.parse(await kubectl('get', 'node', NODE, '-o', 'json')) as {
    metadata: {labels: Record<string, string>; annotations: Record<string, string>};
  };
  expect(node.metadata.labels).toMatchObject({'kubevirt.io/schedulable': 'true'});
  expect(node.metadata.labels['wherry.dev/kvm']).toMatch(/^(usable|broken|absent)$/);
  expect(node.metadata.annotations['wherry.dev/kvm-reason']).not.toBe('');
});

test('the daemon says by a Lease that it lives, which goes with its node', async () => {
  const lease = async () =>
    JSON.parse(await kubectl('get', 'lease', `node-daemon-${NODE}`, '-n', 'wherry', '-o', 'json')) as {
      metadata: {ownerReferences: object[]};
      spec: {renewTime: string};
    };
  const first = await eventually(lease);
  expect(first).toMatchObject({
    metadata: {ownerReferences: [{kind: 'Node', name: NODE}], labels: {'app.kubernetes.io/component': 'node-daemon'}},
    spec: {holderIdentity: 'wherry-node-daemon-test', leaseDurationSeconds: 8},
  });
  await eventually(async () => expect((await lease()).spec.renewTime).not.toBe(first.spec.renewTime));
});

test('a guest that is handed over runs, and one write says so', async () => {
  await handOver('guest', podUid, 'tcg');
  const before = await instance('guest');
  const after = await eventually(async () => {
    const vmi = await instance('guest');
    expect(vmi.status?.phase).toBe('Running');
    return vmi;
  });
  expect(after.status).toMatchObject({
    interfaces: [{name: 'default', ipAddress: pod.network.pod, podInterfaceName: 'eth0'}],
    engine: {name: 'qemu'},
    machine: {type: 'pc-q35-10.0'},
    memory: {guestCurrent: '128Mi'},
    currentCPUTopology: {sockets: 1, cores: 1, threads: 1},
    volumeStatus: [
      {name: 'data', target: 'vda', phase: 'Ready', persistentVolumeClaimInfo: {capacity: {storage: '32Mi'}}},
      {name: 'scratch', target: 'vdb'},
      {name: 'seed', target: 'vdc'},
      {name: 'disc', target: 'sda'},
    ],
  });
  expect(conditions(after)).toMatchObject({
    Ready: 'True',
    'wherry.dev/EngineActive': 'True',
    SoftwareEmulation: 'True',
  });
  expect(before.metadata.uid).toBe(after.metadata.uid);
});

test('the guest boots, and answers through the address of its pod', async () => {
  await eventually(() => expect(pod.console).toMatch(/login:/), {timeoutMs: 60_000});
  expect((await eventually(() => info(pod.network.pod))).bootId).toMatch(/^[0-9a-f-]{36}$/);
});

test('the guest sees its disks under the names in the status, and its seed', async () => {
  await eventually(() => expect(pod.console).toMatch(/the seed was read/), {timeoutMs: 20_000});
  pod.type('\n');
  await eventually(() => {
    pod.type('grep -E "[vs]d|sr" /proc/partitions\n');
    expect(pod.console).toMatch(/32768 vda[^]*16384 vdb/);
  });
});

test('the guest’s agent says what system it is', async () => {
  const vmi = await eventually(async () => {
    const found = await instance('guest');
    expect(conditions(found)['AgentConnected']).toBe('True');
    return found;
  });
  expect(vmi.status?.guestOSInfo).toMatchObject({kernelRelease: expect.stringMatching(/^6\./), machine: 'x86_64'});
  expect(vmi.status?.interfaces?.[0]).toMatchObject({interfaceName: 'eth0', infoSource: 'domain, guest-agent'});
});

test('connections from inside the pod reach the guest too, as those of kubectl port-forward do', async () => {
  expect(await pod.inside('curl', '-sS', '--fail', '--max-time', '5', 'http://127.0.0.1/cgi-bin/info')).toContain(
    'bootId',
  );
});

test('the guest’s counters are published under KubeVirt’s names', async () => {
  const text = await daemon.get('metrics', '/metrics');
  const value = (name: string): number =>
    Number(new RegExp(`^kubevirt_vmi_${name}\\{[^}]*name="guest"[^}]*\\} (?<value>\\S+)$`, 'm').exec(text)?.[1]);
  expect(value('info')).toBe(1);
  expect(value('cpu_usage_seconds_total')).toBeGreaterThan(0.5);
  expect(value('vcpu_seconds_total')).toBeGreaterThan(0.5);
  expect(value('memory_resident_bytes')).toBeGreaterThan(30 * 1024 * 1024);
  expect(value('memory_domain_bytes')).toBe(128 * 1024 * 1024);
  expect(text).toMatch(/^kubevirt_vmi_storage_iops_read_total\{[^}]*drive="seed"[^}]*\} [1-9]/m);
  expect(value('network_receive_bytes_total')).toBeGreaterThan(0);
  expect(value('network_transmit_packets_total')).toBeGreaterThan(0);
});

/**
 * Process ids and command lines of the engines of an instance, among all descendants of this process and orphans: another
 * run of this test may be on the machine.
 */
const engines = async (name: string): Promise<readonly string[]> => {
  const rows = (await run('ps', ['-eo', 'pid=,ppid=,args='])).split('\n').map(row => row.trim().split(/ +/));
  const family = new Set([String(process.pid)]);
  // Until a round finds nobody new: a process can have a smaller id than its parent.
  for (let size = 0; size < family.size; ) {
    size = family.size;
    for (const [pid = '', parent = ''] of rows) if (family.has(parent)) family.add(pid);
  }
  return rows
    .filter(([pid = '', parent]) => family.has(pid) || parent === '1')
    .filter(([, , ...args]) => args.join(' ').includes(`guest=default_${name},`))
    .map(row => row.join(' '));
};

test('a guest that reboots stays in its engine', async () => {
  const before = await info(pod.network.pod);
  const [engine] = await engines('guest');
  pod.type('reboot\n');
  await eventually(async () => expect((await info(pod.network.pod)).bootId).not.toBe(before.bootId));
  expect(await engines('guest')).toEqual([engine]);
  expect((await instance('guest')).status?.phase).toBe('Running');
});

test('a daemon that is replaced adopts the guest, which notices nothing', async () => {
  // The reboot closed the agent's channel: what the daemon has to say of that must be said.
  await eventually(async () => {
    expect(daemon.daemon.guests.guests[0]?.link.view).toMatchObject({at: 'connected', agent: true});
    expect(conditions(await instance('guest'))['AgentConnected']).toBe('True');
  });
  const before = await info(pod.network.pod);
  const {resourceVersion} = (await instance('guest')).metadata;
  await daemon.stop();
  daemon = await RunningDaemon.start(pod.pods);
  await eventually(() => expect(daemon.daemon.guests.guests[0]?.link.view.at).toBe('connected'));
  await eventually(async () => expect(await daemon.get('metrics', '/metrics')).toContain('kubevirt_vmi_cpu_usage'));
  const after = await info(pod.network.pod);
  expect(after.bootId).toBe(before.bootId);
  expect(after.uptime).toBeGreaterThanOrEqual(before.uptime);
  expect((await instance('guest')).metadata.resourceVersion).toBe(resourceVersion);
});

/** A second guest on the node, until `look` has seen what it wants. */
const withGuest = async (
  name: string,
  accelerator: Accelerator,
  look: (pod: FakeVmPod) => Promise<void>,
): Promise<void> => {
  const uid = randomUUID();
  const instanceUid = await createInstance(name, tinyInstanceSpec('unused'));
  const other = await FakeVmPod.start(programs, {podUid: uid, instanceUid, name, pods: pod.pods});
  try {
    await handOver(name, uid, accelerator);
    await eventually(async () => expect((await instance(name)).status?.phase).toBe('Running'), {timeoutMs: 30_000});
    await look(other);
  } finally {
    await other.stop();
  }
};

/** The node's verdict: only where KVM works can a guest run on it. */
const {verdict} = JSON.parse(await run(selfTest, [])) as {verdict: string};
if (verdict !== 'usable') console.log(`no guest is started with KVM: it is ${verdict} on this machine`);

(verdict === 'usable' ? test : test.skip)(
  'a guest gets KVM as a descriptor, for its pod has no device (needs a KVM that passes the self-test)',
  async () => {
    await withGuest('hardware', 'kvm', async () => {
      expect(await engines('hardware')).toEqual([expect.stringContaining('-accel kvm,device=/dev/fdset/1')]);
    });
  },
);

test('the sudden end of a pod is the end of its engine, and is reported', async () => {
  await withGuest('victim', 'tcg', async other => {
    expect(await engines('victim')).toHaveLength(1);
    await other.kill();
    const over = await eventually(async () => {
      const vmi = await instance('victim');
      expect(conditions(vmi)['wherry.dev/EngineActive']).toBe('False');
      return vmi;
    });
    expect(await engines('victim')).toEqual([]);
    expect(over.status?.conditions).toContainEqual(expect.objectContaining({reason: 'EngineExited'}));
  });
});

test('an engine that lives although its instance is gone was fenced, and is ended at once', async () => {
  await withGuest('fenced', 'tcg', async other => {
    await kubectl('delete', 'vmi', 'fenced');
    expect(await other.exited).toBe(LauncherExit.KilledAfterGrace);
    expect(await engines('fenced')).toEqual([]);
    expect(await engines('guest')).toHaveLength(1);
  });
});

test('the end of the pod presses the power button, and the end of the engine is reported', async () => {
  await pod.terminate();
  expect(await pod.exited).toBe(20);
  const vmi = await eventually(async () => {
    const found = await instance('guest');
    expect(conditions(found)['wherry.dev/EngineActive']).toBe('False');
    return found;
  });
  expect(vmi.status?.phase).toBe('Running');
  expect(daemon.daemon.guests.guests).toHaveLength(0);
});

test('all that the daemon asked of the API server it may, and no Secret was asked for', async () => {
  const requests = await plane.audited();
  expect(new Set(requests.map(({account: who}) => who))).toEqual(new Set(['wherry:wherry-node-daemon']));
  expect(new Set(requests.map(({verb, resource}) => `${verb} ${resource}`))).toEqual(
    new Set([
      'get nodes',
      'patch nodes',
      'get virtualmachineinstances',
      'list virtualmachineinstances',
      'watch virtualmachineinstances',
      'patch virtualmachineinstances/status',
      'create events',
      'create leases',
      'patch leases',
    ]),
  );
  // 403 is also what its policies answer with.
  expect(requests.filter(({allowed, code}) => !allowed || code === 403)).toEqual([]);
});
