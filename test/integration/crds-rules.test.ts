import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {startControlPlane, type ControlPlane} from '../support/control-plane.ts';
import {aMachine, anInstance, causes, crdFolder, send, set} from '../support/crds.ts';

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

const domain = 'spec.domain';
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
    sentence: 'a disk that is neither disk nor cdrom',
    change: [...withVolume('root', {emptyDisk: {capacity: '1Gi'}}), [`${devices}.disks`, [{name: 'root'}]]],
    field: `${devices}.disks[0]`,
    message: 'exactly one of disk or cdrom',
  },
  {
    sentence: 'a disk that is both disk and cdrom',
    change: [
      ...withVolume('root', {emptyDisk: {capacity: '1Gi'}}),
      [`${devices}.disks`, [{name: 'root', disk: {}, cdrom: {}}]],
    ],
    field: `${devices}.disks[0]`,
    message: 'exactly one of disk or cdrom',
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
    sentence: 'a disk on a bus that is not virtio',
    change: [
      ...withVolume('root', {emptyDisk: {capacity: '1Gi'}}),
      [`${devices}.disks`, [{name: 'root', disk: {bus: 'scsi'}}]],
    ],
    field: `${devices}.disks[0].disk.bus`,
    message: 'supported values: "virtio"',
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

const machine: readonly Refusal[] = [
  {
    sentence: 'no memory at all',
    change: [[`${domain}.memory`, undefined]],
    field: domain,
    message: 'the memory of the guest must be given, as memory: {guest: 512Mi}',
  },
  {
    sentence: 'memory without a unit',
    change: [[`${domain}.memory.guest`, 512]],
    field: `${domain}.memory.guest`,
    message: 'must be at least 1Mi: write the unit',
  },
  {
    sentence: 'memory that is no quantity',
    change: [[`${domain}.memory.guest`, '512 MB']],
    field: `${domain}.memory.guest`,
    message: 'should match',
  },
  {
    sentence: 'more guest memory than its limit',
    change: [[`${domain}.resources`, {limits: {memory: '64Mi'}}]],
    field: `${domain}.memory`,
    message: 'must not be larger than resources.limits.memory',
  },
  {
    sentence: 'a request above its limit, also where one of them is a number',
    change: [[`${domain}.resources`, {requests: {cpu: 2}, limits: {cpu: '500m'}}]],
    field: `${domain}.resources.requests`,
    message: 'a request must not be larger than the limit',
  },
  {
    sentence: 'more vCPUs than the machine can have',
    change: [[`${domain}.cpu`, {cores: 64, sockets: 4}]],
    field: `${domain}.cpu`,
    message: 'must be at most 254',
  },
  {
    sentence: 'no cores',
    change: [[`${domain}.cpu.cores`, 0]],
    field: `${domain}.cpu.cores`,
    message: 'should be greater than or equal to 1',
  },
  {
    sentence: 'a machine without devices, as KubeVirt does',
    change: [[devices, undefined]],
    field: devices,
    message: 'Required value',
  },
  {
    sentence: 'kernel arguments without a kernel',
    change: [[`${domain}.firmware`, {kernelBoot: {kernelArgs: 'quiet'}}]],
    field: `${domain}.firmware.kernelBoot.kernelArgs`,
    message: 'kernelArgs need a kernel of their own',
  },
  {
    sentence: 'an initial RAM disk without a kernel',
    change: [[`${domain}.firmware`, {kernelBoot: {container: {image: 'kernel', initrdPath: '/boot/initrd'}}}]],
    field: `${domain}.firmware.kernelBoot.container`,
    message: 'container.kernelPath must be given',
  },
  {
    sentence: 'a firmware UUID that is none',
    change: [[`${domain}.firmware`, {uuid: '5d307ca9'}]],
    field: `${domain}.firmware.uuid`,
    message: 'must be a UUID',
  },
  {
    sentence: 'a host name of two labels',
    change: [['spec.hostname', 'db.example']],
    field: 'spec.hostname',
    message: 'should match',
  },
  {
    sentence: 'a grace period below zero',
    change: [['spec.terminationGracePeriodSeconds', -1]],
    field: 'spec.terminationGracePeriodSeconds',
    message: 'should be greater than or equal to 0',
  },
];

const changed = (object: object, change: Refusal['change'], prefix = ''): object =>
  change.reduce((one, [path, value]) => set(one, `${prefix}${path}`, value), object);

describe.each([
  ['storage', storage],
  ['cloud-init', cloudInit],
  ['machine', machine],
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

const refused = async (change: Refusal['change']): Promise<readonly object[]> =>
  causes(await send(control, changed(aMachine('refused'), change)));

describe('a VirtualMachine', () => {
  test('is refused with both running and runStrategy, and with neither', async () => {
    const cause = expect.objectContaining({
      field: 'spec.runStrategy',
      message: expect.stringContaining('exactly one of runStrategy or running must be given: use runStrategy'),
    });
    expect(await refused([['spec.running', true]])).toContainEqual(cause);
    expect(await refused([['spec.runStrategy', undefined]])).toContainEqual(cause);
  });

  test('is refused without a template and with an unknown run strategy', async () => {
    expect(await refused([['spec.template', undefined]])).toContainEqual(
      expect.objectContaining({field: 'spec.template', message: 'Required value'}),
    );
    expect(await refused([['spec.runStrategy', 'Sometimes']])).toContainEqual(
      expect.objectContaining({field: 'spec.runStrategy'}),
    );
  });

  test('is refused where its template sets a label that only the system sets', async () => {
    expect(await refused([['spec.template.metadata.labels', {'kubevirt.io/created-by': 'me'}]])).toContainEqual(
      expect.objectContaining({
        field: 'spec.template.metadata.labels',
        message: expect.stringContaining('are set by the system alone'),
      }),
    );
  });

  test('is held to the rules of the instance inside its template, with the path in the template', async () => {
    expect(await refused([['spec.template.spec.domain.memory', undefined]])).toContainEqual(
      expect.objectContaining({
        field: 'spec.template.spec.domain',
        message: expect.stringContaining('the memory of the guest must be given'),
      }),
    );
  });
});

test('accepts quantities as numbers and in every unit', async () => {
  for (const [name, guest] of Object.entries({
    bytes: 134_217_728,
    binary: '128Mi',
    decimal: '134217728',
    power: '2e8',
  })) {
    const answer = await send(control, set(anInstance(`quantity-${name}`), `${domain}.memory.guest`, guest));
    expect(answer).toMatchObject({status: 201, body: {spec: {domain: {memory: {guest}}}}});
  }
});

test('accepts memory that only a request or a limit gives', async () => {
  for (const kind of ['requests', 'limits']) {
    const object = changed(anInstance(`memory-by-${kind}`), [
      [`${domain}.memory`, undefined],
      [`${domain}.resources`, {[kind]: {memory: '128Mi'}}],
    ]);
    expect((await send(control, object)).status).toBe(201);
  }
});

test('accepts data of exactly the inline limit', async () => {
  const text = 'x'.repeat(2048);
  // As a YAML block of what base64 prints: wrapped, with a line break at the end.
  const encoded = Buffer.from(text).toString('base64').replaceAll(/.{76}/g, '$&\n');
  const source = {cloudInitNoCloud: {userData: text, networkDataBase64: `${encoded}\n`}};
  expect((await send(control, changed(anInstance('inline'), withVolume('seed', source)))).status).toBe(201);
});
