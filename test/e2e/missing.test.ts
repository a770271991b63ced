import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {eventually} from '../support/eventually.ts';
import {type TinyOptions, tinyVm} from '../support/guests.ts';
import {Cluster} from './cluster.ts';

jest.setTimeout(600_000);

let cluster: Cluster;

/** What of the tiny machine's spec is changed below. */
interface Spec {
  nodeSelector?: Record<string, string>;
  readonly domain: {
    readonly firmware: {readonly kernelBoot: {readonly container: {kernelPath: string; initrdPath: string}}};
  };
}

/** A machine that differs from the tiny one by a change of its spec. */
const broken = (name: string, change: (spec: Spec) => void, options: TinyOptions = {}): object => {
  const vm = tinyVm(name, cluster.env.images.tiny, options) as {spec: {template: {spec: Spec}}};
  change(vm.spec.template.spec);
  return vm;
};

const withVolume = (volume: object): TinyOptions => ({
  disks: [{name: 'extra', disk: {bus: 'virtio'}}],
  volumes: [{name: 'extra', ...volume}],
});

/** All at once: each waits for something else, and most of it is the cluster's own time. */
beforeAll(async () => {
  cluster = await Cluster.open('missing');
  await cluster.kubectl.apply(
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {name: 'nowhere'},
      spec: {
        storageClassName: 'no-such-class',
        accessModes: ['ReadWriteOnce'],
        resources: {requests: {storage: '1Mi'}},
      },
    },
    broken('no-secret', () => undefined, withVolume({cloudInitNoCloud: {secretRef: {name: 'seed'}}})),
    broken('no-image', () => undefined, withVolume({containerDisk: {image: 'registry.invalid/none:1'}})),
    broken('no-class', () => undefined, withVolume({persistentVolumeClaim: {claimName: 'nowhere'}})),
    broken('no-node', spec => (spec.nodeSelector = {planet: 'mars'})),
    broken('no-kernel', spec => (spec.domain.firmware.kernelBoot.container.kernelPath = '/boot/none')),
    broken('no-initrd', spec => (spec.domain.firmware.kernelBoot.container.initrdPath = '/boot/none')),
    broken(
      'no-disk',
      () => undefined,
      withVolume({
        containerDisk: {image: cluster.env.images.tiny, path: '/disk/none', imagePullPolicy: 'IfNotPresent'},
      }),
    ),
  );
});
afterAll(() => cluster?.close());

/** Waits until the machine says it, and looks whether an event of the machine or its instance tells it too. */
const told = async (name: string, printable: RegExp, type: string, reason: RegExp, message: RegExp): Promise<void> => {
  await eventually(
    async () => {
      const {status} = await cluster.vm(name);
      const said = status?.conditions?.find(one => one.type === type);
      expect([status?.printableStatus, said?.reason, said?.message]).toEqual([
        expect.stringMatching(printable),
        expect.stringMatching(reason),
        expect.stringMatching(message),
      ]);
    },
    {timeoutMs: 90_000},
  );
  // It is written behind the status.
  await eventually(async () => {
    const selector = `involvedObject.name=${name},type=Warning`;
    const events = await cluster.kubectl.run('get', 'events', '--field-selector', selector);
    const line = events.split('\n').find(one => reason.test(one) && message.test(one));
    expect([name, line ?? events]).toEqual([name, expect.stringMatching(reason)]);
  });
};

test('a missing Secret is named by its kubelet, and the machine starts by itself when it is made', async () => {
  const message = /Secret seed does not exist in namespace missing-\w+: create it/;
  await told('no-secret', /^Starting$/, 'Synchronized', /SecretNotFound/, message);
  await cluster.kubectl.run('create', 'secret', 'generic', 'seed', '--from-literal=userdata=#cloud-config');
  await cluster.running('no-secret');
  const {status} = await cluster.vm('no-secret');
  expect(status?.conditions?.filter(({type}) => type === 'Synchronized')).toEqual([]);
});

test('an image of a disk that cannot be pulled is named', () =>
  told(
    'no-image',
    /^(ErrImagePull|ImagePullBackOff)$/,
    'Synchronized',
    /ErrImagePull|ImagePullBackOff/,
    /registry\.invalid\/none:1/,
  ));

test('a claim of a StorageClass that does not exist is named with it', () =>
  told(
    'no-class',
    /^WaitingForVolumeBinding$/,
    'Synchronized',
    /VolumeNotBound/,
    /PersistentVolumeClaim nowhere is not bound: .*"no-such-class" not found: create that StorageClass/,
  ));

test('that no node fits is told in the scheduler’s words', () =>
  told(
    'no-node',
    /^ErrorUnschedulable$/,
    'PodScheduled',
    /Unschedulable/,
    /nodes are available.*node affinity\/selector/,
  ));

test.each([
  ['no-kernel', /could not open kernel file '\/boot\/none'.*kernelBoot\.container\.kernelPath/],
  ['no-initrd', /initrd \/boot\/none.*kernelBoot\.container\.initrdPath/],
  ['no-disk', /no disk image is at \/disk\/none of volume extra.*containerDisk\.path/],
])('%s: QEMU’s or the launcher’s words are in the machine’s Failure, with what to correct', (name, message) =>
  told(name, /^(CrashLoopBackOff|Starting)$/, 'Failure', /StartFailed/, message),
);
