import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {tinyVm} from '../support/guests.ts';
import {Cluster} from './cluster.ts';

jest.setTimeout(600_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.open('storage-disks');
});
afterAll(() => cluster?.close());

type Shell = (command: string) => Promise<string>;

/** Works in the guest once its late modules, those for scsi and ISO 9660, are there. */
const inGuest = async <T>(name: string, work: (shell: Shell) => Promise<T>): Promise<T> => {
  await cluster.running(name);
  await cluster.booted(name, /login:/);
  const console = await cluster.console(name);
  try {
    console.type('\n');
    await console.expect(/[#$] |login:/);
    await console.shell('until grep -q iso9660 /proc/filesystems; do sleep 1; done', 60_000);
    return await work(command => console.shell(command));
  } finally {
    console.close();
  }
};

const restart = async (name: string): Promise<void> => {
  await cluster.kubectl.mergePatch(`vm/${name}`, {spec: {runStrategy: 'Halted'}});
  await cluster.status(name, 'Stopped');
  await cluster.kubectl.mergePatch(`vm/${name}`, {spec: {runStrategy: 'Always'}});
};

const claim = (name: string) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {name},
  spec: {accessModes: ['ReadWriteOnce'], resources: {requests: {storage: '32Mi'}}},
});

/** Mounts the ISO image of a disk and prints what is in a file of it. */
const fileOf = (disk: string, path: string): string =>
  `mkdir -p /mnt/i && mount -t iso9660 -o ro /dev/${disk} /mnt/i && cat /mnt/i/${path}; umount /mnt/i`;

/** Label of an ISO image. */
const labelOf = (disk: string): string => `dd if=/dev/${disk} bs=1 skip=32808 count=32 2>/dev/null | tr -d ' '`;

test('a guest sees its disks as they are described, and what Kubernetes keeps on them', async () => {
  await cluster.kubectl.apply(
    claim('golden'),
    {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'conf'}, data: {'app.conf': 'colour = blue'}},
    {apiVersion: 'v1', kind: 'Secret', metadata: {name: 'keys'}, stringData: {password: 'correct horse'}},
    {apiVersion: 'v1', kind: 'ServiceAccount', metadata: {name: 'robot'}},
    tinyVm('disks', cluster.env.images.tiny, {
      labels: {tier: 'gold'},
      disks: [
        {
          name: 'scratch',
          disk: {bus: 'virtio'},
          serial: 'SCRATCH-1',
          blockSize: {custom: {logical: 4096, physical: 4096}},
          dedicatedIOThread: true,
        },
        {name: 'golden', disk: {bus: 'scsi'}, serial: 'GOLDEN-1', errorPolicy: 'report'},
        {name: 'drive', disk: {bus: 'virtio'}},
        {name: 'conf', cdrom: {bus: 'scsi'}},
        {name: 'keys', disk: {bus: 'virtio'}},
        {name: 'facts', disk: {bus: 'virtio'}},
        {name: 'token', disk: {bus: 'virtio'}},
      ],
      volumes: [
        {name: 'scratch', emptyDisk: {capacity: '32Mi'}},
        {name: 'golden', persistentVolumeClaim: {claimName: 'golden'}},
        {name: 'drive', cloudInitConfigDrive: {userData: '#!/bin/true'}},
        {name: 'conf', configMap: {name: 'conf', volumeLabel: 'settings'}},
        {name: 'keys', secret: {secretName: 'keys'}},
        {
          name: 'facts',
          downwardAPI: {fields: [{path: 'pod/labels', fieldRef: {fieldPath: 'metadata.labels'}}]},
        },
        {name: 'token', serviceAccount: {serviceAccountName: 'robot'}},
      ],
    }),
  );
  await inGuest('disks', async shell => {
    await shell('until [ -b /dev/sda ] && [ -b /dev/sr0 ]; do sleep 1; done');
    expect(await shell('echo $(cat /sys/block/vda/serial) $(cat /sys/block/vda/queue/logical_block_size)')).toBe(
      'SCRATCH-1 4096',
    );
    expect(await shell('tr -dc A-Z0-9- </sys/block/sda/device/vpd_pg80')).toBe('GOLDEN-1');
    expect(await shell(labelOf('vdb'))).toBe('config-2');
    const metaData = JSON.parse(await shell(fileOf('vdb', 'openstack/latest/meta_data.json'))) as object;
    expect(metaData).toMatchObject({hostname: 'disks', uuid: expect.stringMatching(/^[0-9a-f-]{36}$/)});
    expect(await shell(fileOf('vdb', 'openstack/latest/user_data'))).toBe('#!/bin/true');
    expect(await shell(labelOf('sr0'))).toBe('settings');
    expect(await shell(fileOf('sr0', 'app.conf'))).toBe('colour = blue');
    expect(await shell(`cat /sys/block/vdc/ro; ${fileOf('vdc', 'password')}`)).toBe('1\ncorrect horse');
    expect(await shell(fileOf('vdd', 'pod/labels'))).toContain('tier="gold"');
    const token = (await shell(fileOf('vde', 'token'))).split('.')[1] ?? '';
    expect(JSON.parse(Buffer.from(token, 'base64url').toString())).toMatchObject({
      sub: `system:serviceaccount:${cluster.kubectl.namespace}:robot`,
    });
    await shell('echo as-it-was | dd of=/dev/sda bs=512 conv=sync 2>/dev/null && sync');
  });
  const {status} = await cluster.kubectl.json<{status: {volumeStatus: {name: string; target: string}[]}}>(
    'get',
    'vmi',
    'disks',
  );
  expect(status.volumeStatus.map(({name, target}) => `${name} ${target}`)).toEqual([
    'scratch vda',
    'golden sda',
    'drive vdb',
    'conf sdb',
    'keys vdc',
    'facts vdd',
    'token vde',
  ]);
  await cluster.kubectl.run('delete', 'vm', 'disks', '--wait=false');
  await cluster.podGone('disks');
});

test('what a guest writes to an ephemeral disk is lost, and the claim stays as it was', async () => {
  await cluster.kubectl.apply(
    tinyVm('copy', cluster.env.images.tiny, {
      disks: [
        {name: 'copy', disk: {bus: 'virtio'}},
        {name: 'original', disk: {bus: 'virtio'}},
      ],
      volumes: [
        {name: 'copy', ephemeral: {persistentVolumeClaim: {claimName: 'golden'}}},
        {name: 'original', persistentVolumeClaim: {claimName: 'golden', readOnly: true}},
      ],
    }),
  );
  await inGuest('copy', async shell => {
    expect(await shell('head -c 9 /dev/vda')).toBe('as-it-was');
    await shell('echo written-over | dd of=/dev/vda bs=512 conv=sync 2>/dev/null && sync');
    expect(await shell('head -c 12 /dev/vda; echo; head -c 9 /dev/vdb; cat /sys/block/vdb/ro')).toBe(
      'written-over\nas-it-was1',
    );
  });
  await restart('copy');
  await inGuest('copy', async shell => expect(await shell('head -c 9 /dev/vda')).toBe('as-it-was'));
});

test('a guest is started from the disk that comes first in the boot order, here one on sata', async () => {
  await cluster.kubectl.apply({
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachine',
    metadata: {name: 'ordered'},
    spec: {
      runStrategy: 'Always',
      template: {
        spec: {
          terminationGracePeriodSeconds: 5,
          domain: {
            memory: {guest: '192Mi'},
            devices: {
              disks: [
                {name: 'empty', disk: {bus: 'virtio'}},
                {name: 'second', disk: {bus: 'scsi'}, bootOrder: 2},
                {name: 'system', disk: {bus: 'sata'}, bootOrder: 1},
              ],
            },
          },
          volumes: [
            {name: 'empty', emptyDisk: {capacity: '16Mi'}},
            {name: 'second', emptyDisk: {capacity: '16Mi'}},
            {name: 'system', containerDisk: {image: cluster.env.images.tinyDisk, imagePullPolicy: 'IfNotPresent'}},
          ],
        },
      },
    },
  });
  await cluster.running('ordered');
  await cluster.booted('ordered', /login:/);
});
