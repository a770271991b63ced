import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {eventually} from '../support/eventually.ts';
import {tinyVm} from '../support/guests.ts';
import {Cluster, type Pod} from './cluster.ts';

jest.setTimeout(240_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.open('deletion');
});
afterAll(() => cluster?.close());

interface Run {
  readonly uid: string;
  readonly pod: Pod;
  readonly node: string;
  /** Taps on the node before it began. */
  readonly taps: number;
}

const start = async (name: string, graceSeconds: number): Promise<Run> => {
  const taps = await tapsOn(cluster.env.nodes[0] ?? '');
  await cluster.kubectl.apply(tinyVm(name, cluster.env.images.tiny, {graceSeconds}));
  const {metadata} = await cluster.running(name);
  await cluster.booted(name, /login:/);
  const pod = await cluster.pod(name);
  const node = pod.spec.nodeName ?? '';
  expect(await tapsOn(node)).toBe(taps + 1);
  return {uid: metadata.uid, pod, node, taps};
};

/** Taps in all network namespaces of a node. */
const tapsOn = async (node: string): Promise<number> => {
  const links = 'for n in $(ip netns list | cut -d" " -f1); do ip -n $n -o link show 2>/dev/null; done; ip -o link';
  const out = await cluster.onNode(node, 'sh', '-c', links);
  return out.split('\n').filter(line => /: tap/.test(line)).length;
};

/** No pod, process, folder, mount or tap of the run is left on its node. */
const nothingLeft = async (name: string, run: Run): Promise<void> => {
  await cluster.podGone(name);
  const {uid} = run.pod.metadata;
  const traces = [
    `ls -d /var/lib/kubelet/pods/${uid}`,
    `grep ${uid} /proc/mounts`,
    // A control group names its pod with underscores or dashes, by the driver.
    `grep -lE '${uid}|${uid.replaceAll('-', '_')}' /proc/[0-9]*/cgroup`,
  ];
  await eventually(async () => {
    const left = await cluster.onNode(run.node, 'sh', '-c', `{ ${traces.join('; ')}; } 2>/dev/null; true`);
    expect(left.trim()).toBe('');
  });
  expect(await cluster.engines(run.node, name)).toEqual([]);
  expect(await tapsOn(run.node)).toBe(run.taps);
};

test('kubectl delete vm presses the power button, and the guest shuts down in order', async () => {
  const run = await start('orderly', 60);
  const log = cluster.kubectl.spawn('logs', '-f', run.pod.metadata.name);
  let text = '';
  log.stdout.on('data', chunk => (text += chunk));
  const began = Date.now();
  await cluster.kubectl.run('delete', 'vm', 'orderly', '--timeout=90s');
  expect(Date.now() - began).toBeLessThan(30_000);
  await eventually(() => expect(log.exitCode).not.toBeNull());
  expect(text).toMatch(/MARK powerbtn|Power down|reboot: Power off/i);
  await nothingLeft('orderly', run);
});

test('a guest that ignores the power button is ended by force when its grace is over', async () => {
  const run = await start('deaf', 8);
  const console = await cluster.console('deaf');
  console.type('\n');
  await console.expect(/[#$] |login:/);
  await console.shell('killall acpid; true');
  console.close();
  const began = Date.now();
  await cluster.kubectl.run('delete', 'vm', 'deaf', '--timeout=90s');
  const took = Date.now() - began;
  expect(took).toBeGreaterThan(7_000);
  expect(took).toBeLessThan(30_000);
  await nothingLeft('deaf', run);
});

/** The most engines of a machine that are seen at once on a node until `until` is fulfilled. */
const mostEngines = async (node: string, name: string, until: Promise<unknown>): Promise<number> => {
  const over = new AbortController();
  const end = until.finally(() => over.abort());
  let most = 0;
  while (!over.signal.aborted) most = Math.max(most, (await cluster.engines(node, name)).length);
  await end;
  return most;
};

test.each([
  ['deleted by hand', ['--wait=false']],
  ['force-deleted', ['--grace-period=0', '--force']],
])('a pod that is %s never leads to two engines, and the machine runs again', async (_how, flags) => {
  const name = flags.includes('--force') ? 'forced' : 'by-hand';
  const run = await start(name, 20);
  expect(await cluster.engines(run.node, name)).toHaveLength(1);
  await cluster.kubectl.run('delete', 'pod', run.pod.metadata.name, ...flags);
  const again = eventually(
    async () => {
      const vmi = await cluster.vmi(name);
      expect(vmi.metadata.uid).not.toBe(run.uid);
      expect(vmi.status?.phase).toBe('Running');
    },
    {timeoutMs: 120_000},
  );
  expect(await mostEngines(run.node, name, again)).toBe(1);
});
