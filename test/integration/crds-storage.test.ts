import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {startControlPlane, type ControlPlane} from '../support/control-plane.ts';
import {anInstance, causes, crdFolder, send, set} from '../support/crds.ts';

let control: ControlPlane;
beforeAll(async () => {
  control = await startControlPlane({crds: [crdFolder]});
}, 60_000);
afterAll(() => control.stop(), 30_000);

/** What is changed in a valid object, as path and value, and who is blamed for it in which words. */
interface Refusal {
  readonly sentence: string;
  readonly change: readonly (readonly [path: string, value: unknown])[];
  readonly field: string;
  readonly message: string;
}

const devices = 'spec.domain.devices';
const withVolume = (name: string, source: object): Refusal['change'] => [['spec.volumes', [{name, ...source}]]];
const long = 'x'.repeat(2049);

const storage: readonly Refusal[] = [
  {
    sentence: 'a disk without a volume',
    change: [[`${devices}.disks`, [{name: 'root', disk: {}}]]],
    field: `${devices}.disks`,
    message: 'each disk needs a volume of the same name',
  },
  {
    sentence: 'a disk that is both disk and cdrom',
    change: [
      ...withVolume('root', {emptyDisk: {capacity: '1Gi'}}),
      [`${devices}.disks`, [{name: 'root', disk: {}, cdrom: {}}]],
    ],
    field: `${devices}.disks[0]`,
    message: 'at most one of disk or cdrom',
  },
  {
    sentence: 'two disks of one name',
    change: [
      ...withVolume('root', {emptyDisk: {capacity: '1Gi'}}),
      [
        `${devices}.disks`,
        [
          {name: 'root', disk: {}},
          {name: 'root', cdrom: {}},
        ],
      ],
    ],
    field: '',
    message: 'duplicate entries for key [name="root"]',
  },
  {
    sentence: 'a cdrom that can be written',
    change: [
      ...withVolume('root', {emptyDisk: {capacity: '1Gi'}}),
      [`${devices}.disks`, [{name: 'root', cdrom: {readonly: false}}]],
    ],
    field: `${devices}.disks[0].cdrom.readonly`,
    message: 'a cdrom cannot be written: use disk: {}',
  },
  {
    sentence: 'a volume without a source',
    change: withVolume('root', {}),
    field: 'spec.volumes[0]',
    message: 'exactly one source must be given',
  },
  {
    sentence: 'a volume with two sources',
    change: withVolume('root', {emptyDisk: {capacity: '1Gi'}, persistentVolumeClaim: {claimName: 'data'}}),
    field: 'spec.volumes[0]',
    message: 'exactly one source must be given',
  },
  {
    sentence: 'a volume with a name of ours',
    change: withVolume('wherry-sockets', {emptyDisk: {capacity: '1Gi'}}),
    field: 'spec.volumes[0].name',
    message: 'choose another name',
  },
  {
    sentence: 'an empty disk of no size',
    change: withVolume('scratch', {emptyDisk: {capacity: 0}}),
    field: 'spec.volumes[0].emptyDisk.capacity',
    message: 'must be more than 0',
  },
  {
    sentence: 'a containerDisk path that leads out of the image',
    change: withVolume('root', {containerDisk: {image: 'disk', path: '/disk/../../etc/shadow'}}),
    field: 'spec.volumes[0].containerDisk.path',
    message: 'must be an absolute path inside the image',
  },
];

const kept: readonly Refusal[] = [
  {
    sentence: 'a disk on sata over a claim that is only read',
    change: [
      ...withVolume('root', {persistentVolumeClaim: {claimName: 'c', readOnly: true}}),
      [`${devices}.disks`, [{name: 'root', disk: {bus: 'sata'}}]],
    ],
    field: `${devices}.disks`,
    message: 'a claim that is read only cannot be a disk on sata',
  },
  {
    sentence: 'an ephemeral disk without a claim',
    change: withVolume('root', {ephemeral: {}}),
    field: 'spec.volumes[0].ephemeral.persistentVolumeClaim',
    message: 'Required value',
  },
  {
    sentence: 'a configMap without a name',
    change: withVolume('conf', {configMap: {optional: true}}),
    field: 'spec.volumes[0].configMap.name',
    message: 'Required value',
  },
  {
    sentence: 'a secret without a name',
    change: withVolume('conf', {secret: {}}),
    field: 'spec.volumes[0].secret.secretName',
    message: 'Required value',
  },
  {
    sentence: 'a label with a blank',
    change: withVolume('conf', {configMap: {name: 'c', volumeLabel: 'my disk'}}),
    field: 'spec.volumes[0].configMap.volumeLabel',
    message: 'should match',
  },
  {
    sentence: 'a label of 33 characters',
    change: withVolume('conf', {secret: {secretName: 's', volumeLabel: 'x'.repeat(33)}}),
    field: 'spec.volumes[0].secret.volumeLabel',
    message: 'may not be more than 32',
  },
  ...['/etc/labels', '../labels', 'a/..b/c'].map(
    (path): Refusal => ({
      sentence: `a fact at ${path}`,
      change: withVolume('facts', {downwardAPI: {fields: [{path, fieldRef: {fieldPath: 'metadata.labels'}}]}}),
      field: 'spec.volumes[0].downwardAPI.fields[0].path',
      message: 'should match',
    }),
  ),
  {
    sentence: 'a fact about nothing',
    change: withVolume('facts', {downwardAPI: {fields: [{path: 'labels'}]}}),
    field: 'spec.volumes[0].downwardAPI.fields[0]',
    message: 'exactly one of fieldRef or resourceFieldRef',
  },
  {
    sentence: 'two accounts',
    change: [['spec.volumes', ['a', 'b'].map(name => ({name, serviceAccount: {serviceAccountName: name}}))]],
    field: 'spec.volumes',
    message: 'at most one volume may be a serviceAccount',
  },
  {
    sentence: 'the token of another account than that of the pod',
    change: [
      ...withVolume('token', {serviceAccount: {serviceAccountName: 'robot'}}),
      ['spec.serviceAccountName', 'web'],
    ],
    field: 'spec.serviceAccountName',
    message: 'must name the same account',
  },
  ...[{}, {configMap: {name: 'c'}, secret: {name: 's'}}].map(
    (sysprep): Refusal => ({
      sentence: `sysprep of ${Object.keys(sysprep).join(' and ') || 'nothing'}`,
      change: withVolume('answers', {sysprep}),
      field: 'spec.volumes[0].sysprep',
      message: 'exactly one of configMap or secret',
    }),
  ),
  {
    sentence: 'a config drive of more than 2048 bytes',
    change: withVolume('seed', {cloudInitConfigDrive: {userData: long}}),
    field: 'spec.volumes[0].cloudInitConfigDrive.userData',
    message: 'put it into a Secret and name that in secretRef',
  },
];

const cloudInit: readonly Refusal[] = [
  {
    sentence: 'cloud-init without any data',
    change: withVolume('seed', {cloudInitNoCloud: {}}),
    field: 'spec.volumes[0].cloudInitNoCloud',
    message: 'user data or network data must be given',
  },
  {
    sentence: 'cloud-init with two sources of user data',
    change: withVolume('seed', {cloudInitNoCloud: {userData: '#cloud-config', secretRef: {name: 'seed'}}}),
    field: 'spec.volumes[0].cloudInitNoCloud',
    message: 'at most one of userData, userDataBase64, secretRef',
  },
  {
    sentence: 'cloud-init with two sources of network data',
    change: withVolume('seed', {cloudInitNoCloud: {networkData: 'version: 2', networkDataSecretRef: {name: 'seed'}}}),
    field: 'spec.volumes[0].cloudInitNoCloud',
    message: 'at most one of networkData, networkDataBase64, networkDataSecretRef',
  },
  {
    sentence: 'more than 2048 bytes of user data in the manifest',
    change: withVolume('seed', {cloudInitNoCloud: {userData: long}}),
    field: 'spec.volumes[0].cloudInitNoCloud.userData',
    message: 'put it into a Secret and name that in secretRef',
  },
  {
    sentence: 'user data of fewer characters but more bytes',
    change: withVolume('seed', {cloudInitNoCloud: {userData: 'ü'.repeat(1025)}}),
    field: 'spec.volumes[0].cloudInitNoCloud.userData',
    message: 'limited to 2048 bytes',
  },
  {
    sentence: 'more than 2048 bytes of encoded network data',
    change: withVolume('seed', {cloudInitNoCloud: {networkDataBase64: Buffer.from(long).toString('base64')}}),
    field: 'spec.volumes[0].cloudInitNoCloud.networkDataBase64',
    message: 'name that in networkDataSecretRef',
  },
  {
    sentence: 'user data that is not base64',
    change: withVolume('seed', {cloudInitNoCloud: {userDataBase64: '#cloud-config'}}),
    field: 'spec.volumes[0].cloudInitNoCloud.userDataBase64',
    message: 'should match',
  },
];

const withDisks = (...disks: readonly object[]): Refusal['change'] => [
  ['spec.volumes', disks.map((_, at) => ({name: `d${at}`, emptyDisk: {capacity: '1Gi'}}))],
  [`${devices}.disks`, disks.map((disk, at) => ({name: `d${at}`, ...disk}))],
];
const one = `${devices}.disks[0]`;

const disks: readonly Refusal[] = [
  {
    sentence: 'a disk on a bus that there is not',
    change: withDisks({disk: {bus: 'ide'}}),
    field: `${one}.disk.bus`,
    message: 'supported values: "virtio", "sata", "scsi", "usb"',
  },
  {
    sentence: 'a disk on usb, by name',
    change: withDisks({disk: {bus: 'usb'}}),
    field: `${one}.disk.bus`,
    message: 'usb is not supported: use virtio, sata or scsi',
  },
  {
    sentence: 'a cdrom on virtio',
    change: withDisks({cdrom: {bus: 'virtio'}}),
    field: `${one}.cdrom.bus`,
    message: 'virtio is not supported: a cdrom is on sata or scsi',
  },
  {
    sentence: 'a read-only disk on sata',
    change: withDisks({disk: {bus: 'sata', readonly: true}}),
    field: `${one}.disk.readonly`,
    message: 'a disk on sata cannot be read only',
  },
  {
    sentence: 'more disks on sata than it has ports',
    change: withDisks(
      ...Array.from({length: 3}, () => ({cdrom: {}})),
      ...Array.from({length: 4}, () => ({disk: {bus: 'sata'}})),
    ),
    field: `${devices}.disks`,
    message: 'at most 6 disks and cdroms may be on sata',
  },
  {
    sentence: 'a boot order of 0',
    change: withDisks({bootOrder: 0}),
    field: `${one}.bootOrder`,
    message: 'should be greater than or equal to 1',
  },
  {
    sentence: 'two disks of one boot order',
    change: withDisks({bootOrder: 1}, {bootOrder: 2}, {bootOrder: 1}),
    field: `${devices}.disks`,
    message: 'each bootOrder may stand at one disk or interface alone',
  },
  {
    sentence: 'a serial number with a blank',
    change: withDisks({serial: 'a b'}),
    field: `${one}.serial`,
    message: 'should match',
  },
  {
    sentence: 'a serial number of 257 characters',
    change: withDisks({serial: 'x'.repeat(257)}),
    field: `${one}.serial`,
    message: 'may not be more than 256',
  },
  ...['cache', 'io', 'errorPolicy'].map(
    (field): Refusal => ({
      sentence: `a word in ${field} that means nothing`,
      change: withDisks({[field]: 'sometimes'}),
      field: `${one}.${field}`,
      message: 'supported values: ""',
    }),
  ),
  {
    sentence: 'native input and output with a cache',
    change: withDisks({io: 'native', cache: 'writeback'}),
    field: `${one}.io`,
    message: 'native needs the cache none or directsync',
  },
  ...[0, 256, 4095, 4_194_304].map(
    (logical): Refusal => ({
      sentence: `blocks of ${logical} bytes`,
      change: withDisks({blockSize: {custom: {logical, physical: 8_388_608}}}),
      field: `${one}.blockSize.custom.logical`,
      message: 'must be a power of 2 from 512 to 2097152',
    }),
  ),
  {
    sentence: 'blocks that are larger in name than in truth',
    change: withDisks({blockSize: {custom: {logical: 4096, physical: 512}}}),
    field: `${one}.blockSize.custom.logical`,
    message: 'logical must not be larger than physical',
  },
  {
    sentence: 'a discard granularity that no number of blocks makes',
    change: withDisks({blockSize: {custom: {logical: 4096, physical: 4096, discardGranularity: 6144}}}),
    field: `${one}.blockSize.custom.discardGranularity`,
    message: 'must be a multiple of logical',
  },
  ...[{disk: {bus: 'sata'}}, {cdrom: {}}].map(
    (target): Refusal => ({
      sentence: `blocks of 4096 bytes on sata, as ${Object.keys(target)[0]}`,
      change: withDisks({...target, blockSize: {custom: {logical: 4096, physical: 4096}}}),
      field: `${one}.blockSize.custom.logical`,
      message: 'logical must be 512 on sata',
    }),
  ),
  {
    sentence: 'another discard granularity than 512 on sata',
    change: withDisks({disk: {bus: 'sata'}, blockSize: {custom: {logical: 512, physical: 512, discardGranularity: 0}}}),
    field: `${one}.blockSize.custom.discardGranularity`,
    message: 'discardGranularity must be 512 on sata',
  },
  ...[{}, {enabled: true}].map(
    (matchVolume): Refusal => ({
      sentence: `block sizes of its own and of its volume, ${JSON.stringify(matchVolume)}`,
      change: withDisks({blockSize: {custom: {logical: 512, physical: 512}, matchVolume}}),
      field: `${one}.blockSize`,
      message: 'custom and matchVolume exclude each other',
    }),
  ),
  ...[{disk: {bus: 'scsi'}}, {cdrom: {}}].map(
    (target): Refusal => ({
      sentence: `a thread of its own for ${JSON.stringify(target)}`,
      change: withDisks({...target, dedicatedIOThread: true}),
      field: `${one}.dedicatedIOThread`,
      message: 'only a disk on virtio can have a thread of its own',
    }),
  ),
  {
    sentence: 'a pool of threads without their number',
    change: [['spec.domain.ioThreadsPolicy', 'supplementalPool']],
    field: 'spec.domain.ioThreadsPolicy',
    message: 'supplementalPool needs a number of threads',
  },
  {
    sentence: 'a pool of no threads',
    change: [['spec.domain.ioThreads', {supplementalPoolThreadCount: 0}]],
    field: 'spec.domain.ioThreads.supplementalPoolThreadCount',
    message: 'should be greater than or equal to 1',
  },
];

const changed = (object: object, change: Refusal['change']): object =>
  change.reduce((whole, [path, value]) => set(whole, path, value), object);

describe.each([
  ['volumes', storage],
  ['disks', disks],
  ['what Kubernetes keeps', kept],
  ['cloud-init', cloudInit],
])('%s', (_, refusals) => {
  test.each([...refusals])('refuses $sentence', async ({change, field, message}) => {
    const answer = await send(control, changed(anInstance('refused'), change));
    expect(answer.status).not.toBe(200);
    if (field === '') {
      expect(JSON.stringify(answer.body).replaceAll('\\"', '"')).toContain(message);
      return;
    }
    expect(causes(answer)).toContainEqual({
      reason: expect.any(String),
      field,
      message: expect.stringContaining(message),
    });
  });
});

const accepted: readonly (readonly [sentence: string, change: Refusal['change']])[] = [
  ['a disk that says nothing but its name', withDisks({})],
  [
    'disks on every bus',
    withDisks(
      {disk: {bus: 'virtio', readonly: true}},
      {disk: {bus: 'sata'}},
      {disk: {bus: 'scsi', readonly: true}},
      {cdrom: {bus: 'sata'}},
      {cdrom: {bus: 'scsi'}},
    ),
  ],
  [
    'everything that a disk can say',
    withDisks(
      {
        bootOrder: 2,
        serial: 'A-b_c.d+9',
        cache: 'none',
        io: 'native',
        errorPolicy: 'enospace',
        blockSize: {custom: {logical: 512, physical: 4096, discardGranularity: 0}},
        dedicatedIOThread: true,
      },
      {cdrom: {}, bootOrder: 1, cache: 'directsync'},
    ),
  ],
  [
    'what says nothing',
    withDisks({
      serial: '',
      cache: '',
      io: '',
      errorPolicy: '',
      dedicatedIOThread: false,
      disk: {bus: 'sata', readonly: false},
    }),
  ],
  [
    'the block sizes of a volume',
    withDisks(
      {blockSize: {matchVolume: {}}},
      {blockSize: {custom: {logical: 4096, physical: 4096}, matchVolume: {enabled: false}}},
    ),
  ],
  [
    'threads for disks',
    [
      ['spec.domain.ioThreadsPolicy', 'supplementalPool'],
      ['spec.domain.ioThreads', {supplementalPoolThreadCount: 4}],
    ],
  ],
  [
    'every source of a volume',
    [
      [
        'spec.volumes',
        [
          {name: 'a', ephemeral: {persistentVolumeClaim: {claimName: 'c', readOnly: true}}},
          {name: 'b', persistentVolumeClaim: {claimName: 'c', readOnly: false}},
          {name: 'c', cloudInitConfigDrive: {userData: '#cloud-config', networkData: '{}'}},
          {name: 'd', configMap: {name: 'c', optional: true, volumeLabel: 'a-label-of-thirty-two-characters'}},
          {name: 'e', secret: {secretName: 's', volumeLabel: ''}},
          {
            name: 'f',
            downwardAPI: {
              fields: [
                {path: 'labels', fieldRef: {fieldPath: 'metadata.labels'}, mode: 0o444},
                {path: 'a/b', resourceFieldRef: {containerName: 'compute', resource: 'limits.memory', divisor: 1}},
              ],
            },
          },
          {name: 'g', serviceAccount: {serviceAccountName: 'robot'}},
          {name: 'h', sysprep: {secret: {name: 's'}}},
        ],
      ],
    ],
  ],
  ['no policy for threads, in words', [['spec.domain.ioThreadsPolicy', '']]],
];

test.each([...accepted])('accepts %s', async (sentence, change) => {
  const answer = await send(
    control,
    changed(anInstance(sentence.replaceAll(/[^a-z]+/g, '-').replaceAll(/^-|-$/g, '')), change),
  );
  expect([causes(answer), answer.status]).toEqual([[], 201]);
});

test('accepts data of exactly the inline limit', async () => {
  const text = 'x'.repeat(2048);
  // As a YAML block of what base64 prints: wrapped, with a line break at the end.
  const encoded = Buffer.from(text).toString('base64').replaceAll(/.{76}/g, '$&\n');
  const source = {cloudInitNoCloud: {userData: text, networkDataBase64: `${encoded}\n`}};
  expect((await send(control, changed(anInstance('inline'), withVolume('seed', source)))).status).toBe(201);
});
