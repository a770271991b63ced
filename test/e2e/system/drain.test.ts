import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {eventually} from '../../support/eventually.ts';
import {tinyVm} from '../../support/guests.ts';
import {Cluster} from '../cluster.ts';

jest.setTimeout(240_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.open('drain');
  const options = {labels: {app: 'kept'}, spec: {evictionStrategy: 'External'}};
  await cluster.kubectl.apply(tinyVm('kept', cluster.env.images.tiny, options));
});
afterAll(() => cluster?.close());

test('a guest with evictionStrategy External cannot be evicted; a drain waits until its machine is stopped', async () => {
  const before = await cluster.running('kept');
  await expect(cluster.evict('kept')).rejects.toThrow(/disruption budget/);
  const node = before.status?.nodeName ?? '';
  try {
    const drain = cluster.kubectl.run(
      'drain',
      node,
      '--pod-selector=app=kept',
      '--delete-emptydir-data',
      '--ignore-daemonsets',
      '--timeout=90s',
    );
    await Promise.race([
      drain,
      eventually(async () => {
        expect((await cluster.vmi('kept')).status?.evacuationNodeName).toBe(node);
      }),
    ]);
    expect((await cluster.running('kept')).metadata.uid).toBe(before.metadata.uid);
    // Who was asked to act does.
    await cluster.kubectl.mergePatch('vm/kept', {spec: {runStrategy: 'Halted'}});
    expect(await drain).toContain('drained');
  } finally {
    await cluster.kubectl.run('uncordon', node);
  }
});
