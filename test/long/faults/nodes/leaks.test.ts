/**
 * What kubelet, containerd and the network of pods leave of starts and stops, beside Wherry itself as it is deployed. What a
 * start takes there is their CPU time, so these are few: the rest of the 300, and what the processes keep in memory, is
 * looked at in test/long/soak/leaks.test.ts. Memory cannot be here: it is told from outside, with the garbage, of which there
 * is more than a leak of so few starts would come to.
 */
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {Cluster} from '../../../e2e/cluster.ts';
import {faultsEnvironmentFile} from '../../../e2e/environment.ts';
import {eventually} from '../../../support/eventually.ts';
import {tinyVm} from '../../../support/guests.ts';
import {descriptorKinds, differences, type Inventory, parseCounts} from '../../../support/node/inventory.ts';
import {NodeShell} from '../../../support/node/node-shell.ts';

jest.setTimeout(900_000);

/** Guests of one batch run at the same time. The first batch fills what is filled once, and is not counted. */
const perBatch = 12;
const batches = 2;
/** Connections to the API server that nobody uses are closed after a minute. */
const mostTcpSockets = 24;
/** A process of the system: where it runs, and who it is. */
interface Part {
  readonly name: string;
  readonly node: NodeShell;
  readonly uid: string;
}

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.open('leaks', faultsEnvironmentFile);
});
afterAll(() => cluster?.close());

interface SystemPod {
  readonly metadata: {readonly name: string; readonly uid: string};
  readonly spec: {readonly nodeName: string};
}

/** All operators and node-daemons. None of them restarts meanwhile: its uid and its pid are part of what is compared. */
const parts = async (): Promise<readonly Part[]> => {
  const {items} = await cluster.kubectl.in('wherry').json<{items: SystemPod[]}>('get', 'pods');
  return items.map(({metadata, spec}) => ({
    name: metadata.name,
    node: new NodeShell(spec.nodeName),
    uid: metadata.uid,
  }));
};

const machine = (name: string): object =>
  tinyVm(name, cluster.env.images.tiny, {
    memory: '64Mi',
    graceSeconds: 0,
    spec: {startStrategy: 'Paused'},
    domain: {cpu: {cores: 1}, resources: {requests: {cpu: '10m'}}},
  });

/** Starts guests whose vCPUs never run, waits for all, and deletes them until nothing is left. */
const batch = async (): Promise<void> => {
  const names = Array.from({length: perBatch}, (_, index) => `leak-${index}`);
  await cluster.kubectl.apply(...names.map(machine));
  await cluster.kubectl.run('wait', 'vm', '--all', '--for=jsonpath={.status.printableStatus}=Paused', '--timeout=180s');
  await cluster.kubectl.run('delete', 'vm', '--all', '--timeout=180s');
  await cluster.kubectl.run('wait', 'pod', '--all', '--for=delete', '--timeout=180s');
};

/** What a node has of everything that comes and goes with a pod. */
const nodeInventory = async (node: NodeShell): Promise<Inventory> => {
  const counts = await node.sh(
    `
    echo "network namespaces $(ls /run/netns | wc -l)"
    echo "network devices $(ls /sys/class/net | wc -l)"
    echo "rules of nftables $(nft list ruleset 2>/dev/null | wc -l)"
    echo "mounts $(wc -l < /proc/1/mountinfo)"
    echo "folders of pods $(ls /var/lib/kubelet/pods | wc -l)"
    echo "logs of the pods $(ls /var/log/pods | grep -c "^$1_")"
    echo "sandboxes of the pods $(crictl pods -q --label io.kubernetes.pod.namespace=$1 | wc -l)"
    echo "containers of the pods $(crictl ps -aq --label io.kubernetes.pod.namespace=$1 | wc -l)"
    echo "cgroups of pods $(find /sys/fs/cgroup -type d -path '*kubepods*pod*' | wc -l)"
    echo "zombies $(grep -hs '^State:' /proc/[0-9]*/status | grep -c Z)"
    echo "engines $(grep -ls wherry-launcher /proc/[0-9]*/comm | wc -l)"
    echo "shims $(grep -ls containerd-shim /proc/[0-9]*/comm | wc -l)"`,
    cluster.kubectl.namespace,
  );
  return parseCounts(counts);
};

interface PartInventory {
  /** Compared exactly. */
  readonly counts: Inventory;
  readonly tcpSockets: number;
}

const partInventory = async ({node, uid}: Part): Promise<PartInventory> => {
  const {pid} = await mainProcess(node, uid);
  const out = await node.sh(
    `for fd in /proc/$1/fd/*; do readlink $fd; done; echo ==; cat /proc/$1/net/unix; echo ==; cat /proc/$1/net/tcp /proc/$1/net/tcp6
     echo ==; ls /proc/$1/task | wc -l`,
    String(pid),
  );
  const [links = '', unix = '', tcp = '', threads = ''] = out.split('==\n');
  const {'TCP socket': tcpSockets = 0, ...counts} = descriptorKinds(links.trim().split('\n'), unix, tcp);
  return {counts: {...counts, threads: Number(threads), pid}, tcpSockets};
};

/** Beside it there is only the sandbox's, which is tiny. */
const mainProcess = async (node: NodeShell, uid: string) => {
  const [largest] = (await node.processes(uid)).toSorted((a, b) => b.resident - a.resident);
  if (largest === undefined) throw new Error(`no process of pod ${uid} runs on ${node.name}`);
  return largest;
};

interface Everything {
  readonly nodes: Inventory;
  readonly parts: Readonly<Record<string, PartInventory>>;
}

/** The kubelet removes sandboxes and logs for a while after their pods are gone from the API, and those of earlier tests. */
const settled = async (): Promise<void> => {
  let last: Inventory = {};
  await eventually(
    async () => {
      const {nodes} = await everything();
      const changed = differences(last, nodes);
      last = nodes;
      const left = Object.entries(nodes).filter(([what, count]) => what.endsWith(' of the pods') && count > 0);
      expect([changed, left]).toEqual([[], []]);
    },
    {timeoutMs: 180_000, everyMs: 3000},
  );
};

const everything = async (): Promise<Everything> => {
  const nodes: Record<string, number> = {};
  for (const name of cluster.env.nodes)
    for (const [what, count] of Object.entries(await nodeInventory(new NodeShell(name))))
      nodes[`${name}: ${what}`] = count;
  const found: Record<string, PartInventory> = {};
  for (const part of await parts()) found[part.name] = await partInventory(part);
  return {nodes, parts: found};
};

const told = (before: Everything, after: Everything): readonly string[] => [
  ...differences(before.nodes, after.nodes),
  ...Object.entries(after.parts).flatMap(([name, {counts}]) =>
    differences(before.parts[name]?.counts ?? {}, counts).map(text => `${name}: ${text}`),
  ),
];

test(`${perBatch * batches} starts and stops leave nothing behind on nodes, in node-daemons and in operators`, async () => {
  await batch();
  await settled();
  const before = await everything();
  for (let done = 0; done < batches; done += 1) await batch();
  await settled();
  await eventually(async () => expect(told(before, await everything())).toEqual([]), {
    timeoutMs: 30_000,
    everyMs: 2000,
  });
  const {parts: after} = await everything();
  for (const [name, {tcpSockets}] of Object.entries(after))
    expect([name, tcpSockets <= mostTcpSockets]).toEqual([name, true]);
});
