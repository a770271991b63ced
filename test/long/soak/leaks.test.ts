/**
 * Starts and stops with everything real but kubelet, containerd and CNI, which take four fifths of the CPU time of a start
 * on kind: what those leave is looked at there, in test/long/faults/nodes/leaks.test.ts, over fewer starts.
 */
import {mkdir, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {core} from '@wherry/kube';
import {machines} from '@wherry/operator';
import {repository} from '../../../scripts/core/paths.ts';
import {aNode, Stage} from '../../integration/operator/stage.ts';
import {Theatre} from '../../integration/operator/theatre.ts';
import {Account} from '../../support/accounts.ts';
import {eventually} from '../../support/eventually.ts';
import {tinyInstanceSpec} from '../../support/guests.ts';
import {differences, type Inventory} from '../../support/node/inventory.ts';
import {podPrograms} from '../../support/pod-programs.ts';
import {Kubelet} from './leaks/kubelet.ts';
import {Part, type PartInventory, type PartMemory} from './leaks/part.ts';

jest.setTimeout(900_000);

const NODE = 'n1';
/** Guests of one batch run at the same time. The first batch fills what is filled once, and is not counted. */
const perBatch = 12;
const batches = 23;
/** Connections to the API server that nobody uses are closed after a minute. */
const mostTcpSockets = 24;
/**
 * What a process may keep of each start, in bytes. Both remember what they told last, 4,096 events, and the operator how the
 * last 4,096 pods ended, some KiB each.
 */
const mostPerStart: PartMemory = {heap: 24 * 1024, resident: 100 * 1024};

let theatre: Theatre;
let on: Stage;
let kubelet: Kubelet;
let parts: readonly Part[] = [];
let folder: string;

beforeAll(async () => {
  const programs = await podPrograms();
  theatre = await Theatre.open();
  await theatre.client.create(core.nodes, aNode(NODE));
  await theatre.ready(NODE);
  on = await Stage.open(theatre.client, 'leaks');
  folder = await mkdtemp(join(tmpdir(), 'wherry-leaks-'));
  const pods = join(folder, 'pods');
  const scratch = join(folder, 'scratch');
  for (const path of [pods, scratch]) await mkdir(path);
  const config = join(folder, 'config.json');
  await writeFile(config, JSON.stringify({launcherImage: 'wherry/launcher:test', allowEmulation: true}));
  kubelet = new Kubelet({on, node: NODE, programs, folder: pods});
  const {url, ca} = theatre.admin;
  const env = {WHERRY_CONFIG: config, POD_NAMESPACE: theatre.namespace, TMPDIR: scratch};
  const daemon = {
    NODE_NAME: NODE,
    KUBELET_PODS: pods,
    WHERRY_SELFTEST: join(repository, 'target/release/wherry-kvm-selftest'),
    WHERRY_NETNS: join(repository, 'target/release/wherry-netns'),
  };
  const own = await Account.onNode(theatre, 'wherry-node-daemon', NODE);
  const operators = await Account.unbound(theatre, 'wherry-operator');
  parts = [
    await Part.start('node-daemon', {folder, url, ca, token: own.token, env: {...env, ...daemon}}),
    await Part.start('operator', {folder, url, ca, token: operators.token, env}),
  ];
}, 600_000);

afterAll(async () => {
  await Promise.all(parts.map(part => part.stop()));
  await kubelet?.stop();
  await theatre?.close();
  if (folder !== undefined) await rm(folder, {recursive: true, force: true});
}, 60_000);

/** Guests whose vCPUs never run. */
const spec = tinyInstanceSpec('unused', {memory: '64Mi', graceSeconds: 0, spec: {startStrategy: 'Paused'}});
const names = Array.from({length: perBatch}, (_, index) => `leak-${10 + index}`);
const patience = {timeoutMs: 120_000, everyMs: 200};

const statuses = async (): Promise<readonly string[]> => {
  const vms = await theatre.client.list(machines, {namespace: on.namespace});
  return vms.map(({metadata, status}) => `${metadata.name}: ${status?.printableStatus}`);
};

/** Starts machines, waits for all, and deletes them until nothing is left. */
const batch = async (): Promise<void> => {
  for (const name of names) await on.make(name, {spec});
  await eventually(async () => {
    expect(kubelet.pods).toBeLessThanOrEqual(perBatch);
    expect(await statuses()).toEqual(names.map(name => `${name}: Paused`));
  }, patience);
  for (const name of names) await theatre.client.delete(machines, {namespace: on.namespace, name});
  await eventually(async () => {
    expect(await statuses()).toEqual([]);
    expect(kubelet.pods).toBe(0);
  }, patience);
};

interface Everything {
  readonly node: Inventory;
  readonly parts: Readonly<Record<string, PartInventory>>;
}

const everything = async (): Promise<Everything> => {
  const found: Record<string, PartInventory> = {};
  for (const part of parts) found[part.name] = await part.inventory();
  const files = await readdir(join(folder, 'scratch'), {recursive: true});
  return {node: {...(await kubelet.inventory()), 'temporary files': files.length}, parts: found};
};

/** The kernel takes a network namespace apart after its last user is gone. */
const settled = async (): Promise<Everything> => {
  let last = await everything();
  await eventually(
    async () => {
      const now = await everything();
      const changed = told(last, now);
      last = now;
      expect(changed).toEqual([]);
    },
    {timeoutMs: 30_000, everyMs: 1000},
  );
  return last;
};

const told = (before: Everything, after: Everything): readonly string[] => [
  ...differences(before.node, after.node),
  ...Object.entries(after.parts).flatMap(([name, {counts}]) =>
    differences(before.parts[name]?.counts ?? {}, counts).map(text => `${name}: ${text}`),
  ),
];

const memory = (): Promise<readonly PartMemory[]> => Promise.all(parts.map(part => part.memory()));

test(`${perBatch * batches} starts and stops leave nothing behind on the node, in its daemon and in the operator`, async () => {
  await batch();
  const before = await settled();
  const memoryBefore = await memory();
  for (let done = 0; done < batches; done += 1) await batch();
  await eventually(async () => expect(told(before, await everything())).toEqual([]), {
    timeoutMs: 30_000,
    everyMs: 1000,
  });
  const {parts: after} = await everything();
  for (const [name, {tcpSockets}] of Object.entries(after))
    expect([name, tcpSockets <= mostTcpSockets]).toEqual([name, true]);
  for (const [index, now] of (await memory()).entries()) {
    const kept = (what: keyof PartMemory): number =>
      Math.round((now[what] - (memoryBefore[index]?.[what] ?? 0)) / (perBatch * batches));
    const {name = ''} = parts[index] ?? {};
    const [heap, resident] = [kept('heap'), kept('resident')];
    process.stderr.write(`${name}: of each start ${heap} bytes are kept on the heap, ${resident} in all\n`);
    expect([name, heap < mostPerStart.heap, heap]).toEqual([name, true, heap]);
    expect([name, resident < mostPerStart.resident, resident]).toEqual([name, true, resident]);
  }
});
