import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {eventually} from '../support/eventually.ts';
import {tinyVm} from '../support/guests.ts';
import {Cluster} from './cluster.ts';
import {networkGone, networkOf, nothingLeft, type Trail} from './traces.ts';

jest.setTimeout(600_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.open('deletion');
});
afterAll(() => cluster?.close());

interface Run extends Trail {
  readonly uid: string;
  /** Its pod's network namespace on the node. */
  readonly network: string;
}

const start = async (name: string, graceSeconds: number): Promise<Run> => {
  await cluster.kubectl.apply(tinyVm(name, cluster.env.images.tiny, {graceSeconds}));
  const {metadata} = await cluster.running(name);
  await cluster.booted(name, /login:/);
  const pod = await cluster.pod(name);
  const trail = {name, pod, node: pod.spec.nodeName ?? ''};
  const network = await networkOf(cluster, trail);
  expect(network.taps).toBe(1);
  return {...trail, uid: metadata.uid, network: network.name};
};

/** As before it began: its network is gone as well. */
const gone = async (run: Run): Promise<void> => {
  await nothingLeft(cluster, run);
  await networkGone(cluster, run.node, run.network);
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
  await gone(run);
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
  await gone(run);
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
