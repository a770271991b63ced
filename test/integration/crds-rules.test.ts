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

describe.each([['machine', machine]])('%s', (_, refusals) => {
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
