import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {bytesOf} from '@wherry/api';
import {Cluster} from '../../../e2e/cluster.ts';
import {faultsEnvironmentFile} from '../../../e2e/environment.ts';
import {type E2eEnvironment, tinyKernelArgs, type TinyOptions, tinyVm} from '../../../support/guests.ts';
import {type Beside, besideGuest} from '../../../support/node/beside.ts';
import {NodeShell} from '../../../support/node/node-shell.ts';

jest.setTimeout(300_000);

const MiB = 1024 * 1024;

interface PodSpec {
  readonly spec: {readonly containers: readonly {readonly resources: {readonly requests: {readonly memory: string}}}[]};
}

const {kubectl, kubeconfig} = JSON.parse(readFileSync(faultsEnvironmentFile, 'utf8')) as E2eEnvironment;
const withKvm = ['--kubeconfig', kubeconfig, 'get', 'nodes', '-o', 'name', '-l', 'wherry.dev/kvm=usable'];
const kvm = execFileSync(kubectl, withKvm, {encoding: 'utf8'}) !== '';

let cluster: Cluster;
let nodeSelector: object;
const rows: string[] = [];
beforeAll(async () => {
  cluster = await Cluster.open('overhead', faultsEnvironmentFile);
  nodeSelector = {'kubernetes.io/hostname': cluster.env.nodes[0]};
});
afterAll(async () => {
  process.stderr.write(`${['', 'memory beside the guest, in MiB:', ...rows].join('\n')}\n`);
  await cluster?.close();
});

interface Measured extends Beside {
  /** For the pod beside the guest's memory, in bytes. */
  readonly reserved: number;
  readonly size: number;
}

/** Runs a guest until it has booted; what is reserved for its pod beside its memory, and what it needs. */
const measure = async (name: string, options: TinyOptions): Promise<Measured> => {
  await cluster.kubectl.apply(
    tinyVm(name, cluster.env.images.tiny, {graceSeconds: 0, ...options, spec: {nodeSelector}}),
  );
  await cluster.running(name);
  await cluster.booted(name, /login:/, 240_000);
  const pod = await cluster.pod(name);
  const beside = await besideGuest(new NodeShell(pod.spec.nodeName ?? ''), pod.metadata.uid);
  const {spec} = await cluster.kubectl.json<PodSpec>('get', 'pod', pod.metadata.name);
  const size = bytesOf(options.memory ?? '');
  const reserved = bytesOf(spec.containers[0]!.resources.requests.memory) - size;
  await cluster.kubectl.run('delete', 'vm', name);
  rows.push(rowOf(name, {...beside, reserved}));
  return {...beside, reserved, size};
};

const rowOf = (name: string, {own, buffer, kernel, code, sum, reserved}: Omit<Measured, 'size'>): string => {
  const parts = {own, buffer, kernel, code, sum, reserved};
  const words = Object.entries(parts).map(([part, bytes]) => `${part} ${(bytes / MiB).toFixed(1)}`);
  return `${name}: ${words.join(', ')}; reserved ÷ measured ${(reserved / sum).toFixed(2)}`;
};

/** The kernel clears all memory when it takes it over. A guest with a balloon would give back what it does not use. */
const touchesAll: TinyOptions = {
  kernelArgs: `${tinyKernelArgs} init_on_free=1`,
  devices: {autoattachMemBalloon: false},
};

interface Size {
  readonly name: string;
  readonly memory: string;
  readonly cores: number;
}

const sizes: readonly Size[] = [
  {name: 'small', memory: '128Mi', cores: 1},
  {name: 'large', memory: '2Gi', cores: 2},
];

const measureAll = async (): Promise<void> => {
  const measured: Measured[] = [];
  for (const {name, memory, cores} of sizes) {
    const domain = {cpu: {cores}, resources: {requests: {cpu: '100m'}}};
    measured.push(await measure(name, {...touchesAll, memory, domain}));
  }
  for (const {reserved, sum, guest, size} of measured) {
    expect(guest).toBeGreaterThan(0.97 * size);
    expect(reserved).toBeGreaterThanOrEqual(sum);
    expect(reserved).toBeLessThanOrEqual(1.2 * sum);
  }
  // It holds for guests that are too large for a test.
  const [small, large] = measured;
  expect(large!.reserved - small!.reserved).toBeGreaterThanOrEqual(large!.kernel - small!.kernel);
};

const what = 'guests of any size that have touched all their memory need what is reserved for them, and hardly less';
(kvm ? test.skip : test)(`under emulation ${what} (needs a cluster without a usable KVM)`, measureAll);
(kvm ? test : test.skip)(`under KVM ${what} (needs a usable KVM)`, measureAll);

test('a guest with UEFI, a graphics card, disks and sound has enough reserved', async () => {
  const {reserved, sum} = await measure('equipped', {
    memory: '256Mi',
    domain: {cpu: {cores: 1}, firmware: {bootloader: {efi: {secureBoot: false}}}},
    devices: {
      autoattachGraphicsDevice: true,
      sound: {name: 'ich9', model: 'ich9'},
      disks: [
        {name: 'root', disk: {bus: 'virtio'}},
        {name: 'second', disk: {bus: 'scsi'}},
        {name: 'third', disk: {bus: 'sata'}},
      ],
    },
    volumes: [
      {name: 'root', containerDisk: {image: cluster.env.images.tinyDisk}},
      {name: 'second', emptyDisk: {capacity: '1Gi'}},
      {name: 'third', emptyDisk: {capacity: '1Gi'}},
    ],
  });
  expect(reserved).toBeGreaterThanOrEqual(sum);
});
