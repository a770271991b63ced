import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {tinyVm} from '../support/guests.ts';
import {Cluster} from './cluster.ts';

jest.setTimeout(600_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.open('storage');
});
afterAll(() => cluster?.close());

const claim = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {name: 'data'},
  spec: {accessModes: ['ReadWriteOnce'], resources: {requests: {storage: '64Mi'}}},
};

const withShell = async <T>(
  name: string,
  work: (shell: (command: string) => Promise<string>) => Promise<T>,
): Promise<T> => {
  await cluster.running(name);
  await cluster.booted(name, /login:/);
  const console = await cluster.console(name);
  try {
    console.type('\n');
    await console.expect(/[#$] |login:/);
    return await work(command => console.shell(command));
  } finally {
    console.close();
  }
};

test('data on a claim survives a stop and a start', async () => {
  await cluster.kubectl.apply(
    claim,
    tinyVm('keeper', cluster.env.images.tiny, {
      disks: [{name: 'data', disk: {bus: 'virtio'}}],
      volumes: [{name: 'data', persistentVolumeClaim: {claimName: 'data'}}],
    }),
  );
  await withShell('keeper', async shell => {
    expect(await shell('cat /sys/block/vda/size')).toBe(String((64 * 1024 * 1024) / 512));
    await shell('echo kept-through-a-stop | dd of=/dev/vda bs=512 conv=sync 2>/dev/null && sync');
  });
  await cluster.kubectl.mergePatch('vm/keeper', {spec: {runStrategy: 'Halted'}});
  await cluster.status('keeper', 'Stopped');
  await cluster.kubectl.mergePatch('vm/keeper', {spec: {runStrategy: 'Always'}});
  await withShell('keeper', async shell => {
    expect(await shell('head -c 19 /dev/vda')).toBe('kept-through-a-stop');
  });
});

test('an emptyDisk is there, and is new for every run', async () => {
  await cluster.kubectl.apply(
    tinyVm('scratch', cluster.env.images.tiny, {
      disks: [{name: 'scratch', disk: {bus: 'virtio'}}],
      volumes: [{name: 'scratch', emptyDisk: {capacity: '32Mi'}}],
    }),
  );
  await withShell('scratch', async shell => {
    expect(await shell('cat /sys/block/vda/size')).toBe(String((32 * 1024 * 1024) / 512));
  });
});

test('a claim that does not exist is named in the status of the machine', async () => {
  await cluster.kubectl.apply(
    tinyVm('lost', cluster.env.images.tiny, {
      disks: [{name: 'gone', disk: {bus: 'virtio'}}],
      volumes: [{name: 'gone', persistentVolumeClaim: {claimName: 'never-made'}}],
    }),
  );
  await cluster.status('lost', 'ErrorPvcNotFound');
});
