import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {parse} from 'yaml';
import {eventually} from '../support/eventually.ts';
import {run} from '../support/kubectl.ts';
import {Cluster} from './cluster.ts';

jest.setTimeout(600_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.open('virtctl');
});
afterAll(() => cluster?.close());

const virtctl = (...args: readonly string[]): Promise<string> => {
  const {env, kubectl} = cluster;
  return run(env.virtctl, ['-n', kubectl.namespace, ...args], '', {...process.env, KUBECONFIG: env.kubeconfig});
};

test("a machine that KubeVirt's own virtctl creates boots, and the service that it exposes answers", async () => {
  const disk = `--volume-containerdisk=src:${cluster.env.images.tinyDisk}`;
  const manifest = await virtctl('create', 'vm', '--name=made', '--memory=128Mi', '--termination-grace-period=5', disk);
  await cluster.kubectl.apply(parse(manifest) as object);
  await virtctl('expose', 'vm', 'made', '--name=made', '--port=80');

  const {metadata, status} = await cluster.running('made');
  expect(status?.phase).toBe('Running');
  await cluster.booted('made', /login:/);
  const {spec} = await cluster.kubectl.json<{spec: {clusterIP: string}}>('get', 'service', 'made');
  expect(JSON.parse(await cluster.http(`http://${spec.clusterIP}/cgi-bin/info`))).toMatchObject({hostname: 'made'});

  // Power control is kubectl's until the subresources are served: this restarts, and then this stops.
  await expect(virtctl('restart', 'made')).rejects.toThrow('the server could not find the requested resource');
  await cluster.kubectl.run('delete', 'vmi', 'made');
  await eventually(async () => {
    const next = await cluster.vmi('made');
    if (next.metadata.uid === metadata.uid || next.status?.phase !== 'Running') throw new Error('no next run yet');
  });
  await cluster.kubectl.mergePatch('vm/made', {spec: {runStrategy: 'Halted'}});
  await cluster.status('made', 'Stopped');
});
