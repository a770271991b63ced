import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {tinyVm} from '../support/guests.ts';
import {Cluster} from './cluster.ts';

jest.setTimeout(600_000);

/** What a node needs to make block devices of, beside those that the kubelet makes of its own. */
const MAKE = 'truncate -s 64M /var/tmp/$0.img && losetup --find --show /var/tmp/$0.img';

let cluster: Cluster;
let node: string;
let device: string | undefined;
let missing: string | undefined;
beforeAll(async () => {
  cluster = await Cluster.open('storage-block');
  node = cluster.env.nodes.at(-1) ?? '';
  try {
    device = (await cluster.onNode(node, 'sh', '-c', MAKE, cluster.kubectl.namespace)).trim();
  } catch (error) {
    missing = `loop devices on ${node}: ${String(error)}`;
  }
});
afterAll(async () => {
  await cluster?.close();
  if (device === undefined) return;
  await cluster.kubectl.run('delete', 'pv', cluster.kubectl.namespace, '--wait=false');
  await cluster.onNode(node, 'sh', '-c', `losetup -d ${device}; rm -f /var/tmp/${cluster.kubectl.namespace}.img`);
});

/** A local volume over that device, and a claim that takes it. */
const blockClaim = (path: string, hostname: string) => [
  {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {name: cluster.kubectl.namespace},
    spec: {
      capacity: {storage: '64Mi'},
      volumeMode: 'Block',
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: '',
      claimRef: {namespace: cluster.kubectl.namespace, name: 'raw'},
      local: {path},
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            {matchExpressions: [{key: 'kubernetes.io/hostname', operator: 'In', values: [hostname]}]},
          ],
        },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {name: 'raw'},
    spec: {
      accessModes: ['ReadWriteOnce'],
      volumeMode: 'Block',
      storageClassName: '',
      volumeName: cluster.kubectl.namespace,
      resources: {requests: {storage: '64Mi'}},
    },
  },
];

const inGuest = async (name: string, work: (shell: (command: string) => Promise<string>) => Promise<void>) => {
  await cluster.running(name);
  await cluster.booted(name, /login:/);
  const console = await cluster.console(name);
  try {
    console.type('\n');
    await console.expect(/[#$] |login:/);
    await work(command => console.shell(command));
  } finally {
    console.close();
  }
};

test('data on a claim in block mode is on its device, without any privilege of the pod', async () => {
  if (device === undefined) {
    process.stderr.write(`skipped: ${missing}\n`);
    return;
  }
  await cluster.kubectl.apply(
    ...blockClaim(device, node),
    tinyVm('raw', cluster.env.images.tiny, {
      disks: [{name: 'raw', disk: {bus: 'virtio'}}],
      volumes: [{name: 'raw', persistentVolumeClaim: {claimName: 'raw'}}],
    }),
  );
  await inGuest('raw', async shell => {
    expect(await shell('cat /sys/block/vda/size')).toBe(String((64 * 1024 * 1024) / 512));
    await shell('echo kept-on-the-device | dd of=/dev/vda bs=512 conv=sync 2>/dev/null && sync');
  });
  expect(await cluster.onNode(node, 'sh', '-c', `head -c 18 ${device}`)).toBe('kept-on-the-device');
  await cluster.kubectl.run('delete', 'vm', 'raw', '--wait=false');
  await cluster.podGone('raw');
  await cluster.kubectl.apply(
    tinyVm('copy', cluster.env.images.tiny, {
      disks: [{name: 'copy', disk: {bus: 'virtio'}}],
      volumes: [{name: 'copy', ephemeral: {persistentVolumeClaim: {claimName: 'raw'}}}],
    }),
  );
  await inGuest('copy', async shell => {
    expect(await shell('head -c 18 /dev/vda')).toBe('kept-on-the-device');
    await shell('echo written-over | dd of=/dev/vda bs=512 conv=sync 2>/dev/null && sync');
    expect(await shell('head -c 12 /dev/vda')).toBe('written-over');
  });
  expect(await cluster.onNode(node, 'sh', '-c', `head -c 18 ${device}`)).toBe('kept-on-the-device');
});
