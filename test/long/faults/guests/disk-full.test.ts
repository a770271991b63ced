import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {eventually} from '../../../support/eventually.ts';
import {onNode} from '../support/nodes.ts';
import {conditionOf, figure, Stage} from '../support/stage.ts';

jest.setTimeout(240_000);

/** A filesystem of its own in the node's memory: filling it up harms nobody else. */
const small = '/var/wherry-small';

let stage: Stage;
let node: string;
beforeAll(async () => {
  stage = await Stage.open('disks');
  node = stage.node(0);
  await onNode(node, 'sh', '-c', `mkdir -p ${small} && mount -t tmpfs -o size=16m,mode=0777 small ${small}`);
});
afterAll(async () => {
  await stage?.close();
  if (stage === undefined) return;
  await stage.system.run('delete', 'pv', volume().metadata.name, '--ignore-not-found');
  await eventually(() => onNode(node, 'umount', small));
});

const volume = () => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: {name: `small-${stage.cluster.kubectl.namespace}`},
  spec: {
    capacity: {storage: '8Mi'},
    accessModes: ['ReadWriteOnce'],
    persistentVolumeReclaimPolicy: 'Retain',
    local: {path: small},
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [{matchExpressions: [{key: 'kubernetes.io/hostname', operator: 'In', values: [node]}]}],
      },
    },
  },
});

test('a guest whose storage is full stands still, says why, and runs on by itself when there is room', async () => {
  await stage.cluster.kubectl.apply(volume());
  await stage.keeper('full', {volume: volume().metadata.name});
  const run = await stage.connect('full');
  await onNode(node, 'sh', '-c', `dd if=/dev/zero of=${small}/filler bs=4k 2>/dev/null; true`);
  const began = performance.now();
  await eventually(
    async () => {
      const vmi = await stage.cluster.vmi('full');
      expect(conditionOf(vmi, 'Paused')).toMatchObject({status: 'True', reason: 'PausedIOError'});
      expect(conditionOf(vmi, 'Paused')?.message).toContain('the volume book is full');
      expect(conditionOf(vmi, 'Ready')).toMatchObject({status: 'False', reason: 'GuestPaused'});
      await stage.cluster.status('full', 'Paused', 0);
    },
    {timeoutMs: 20_000},
  );
  figure('full: Paused after its storage was full', performance.now() - began);
  expect(await stage.events('full')).toMatch(/IOerror/);

  await onNode(node, 'rm', `${small}/filler`);
  const back = performance.now();
  await stage.cluster.status('full', 'Running', 90_000);
  figure('full: Running again after there was room', performance.now() - back);
  await stage.livesOn(run);
});
