import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {instanceRefusals, machineRefusals, refusalMessage, refusedIn, type Refusal} from '@wherry/api';
import type {Answer} from '../support/control-plane/admin.ts';
import {get, jsonPatch, post} from '../support/control-plane/admin.ts';
import {startControlPlane, type ControlPlane} from '../support/control-plane.ts';
import {aMachine, anInstance, causes, crdFolder, pathOf, send, set} from '../support/crds.ts';
import {eventually} from '../support/eventually.ts';

let control: ControlPlane;
beforeAll(async () => {
  control = await startControlPlane({crds: [crdFolder]});
}, 60_000);
afterAll(() => control.stop(), 30_000);

const domain = {
  memory: {guest: '128Mi'},
  firmware: {bootloader: {efi: {secureBoot: false}}},
  devices: {
    disks: [
      {name: 'root', disk: {}},
      {name: 'data', cdrom: {}},
    ],
    interfaces: [{name: 'default', masquerade: {}}],
    watchdog: {name: 'dog'},
  },
};

/** With an element in every list on the way to a refusal, and what every object on the way must have. */
const rich = {
  domain,
  networks: [{name: 'default', pod: {}}],
  volumes: [
    {name: 'root', emptyDisk: {capacity: '1Gi'}},
    {name: 'data', persistentVolumeClaim: {claimName: 'data'}},
  ],
  readinessProbe: {tcpSocket: {port: 80}},
  livenessProbe: {tcpSocket: {port: 80}},
};

/** The path in a rich spec: elements by their index. */
const indexed = (path: string): string =>
  path
    .replace('disks[].cdrom', 'disks.1.cdrom')
    .replace('volumes[].persistentVolumeClaim', 'volumes.1.persistentVolumeClaim')
    .replaceAll('[]', '.0');

/** As the API server writes it: `spec.volumes[0].secret`. */
const blamed = (path: string): string => indexed(path).replaceAll(/\.(\d)(?=\.|$)/g, '[$1]');

const meaningful = (refusal: Refusal): readonly unknown[] => {
  switch (refusal.type) {
    case 'object':
      return [{key: {deep: [1, 'two']}}];
    case 'marker':
      return [{}, {key: 'value'}];
    case 'list':
      return [[{key: 'value'}], [{}]];
    case 'string':
      return ['something'];
    case 'boolean':
      return [refusal.pass !== true];
    case 'integer':
      return [7, -1];
    case 'quantity':
      return ['1Gi', 5];
  }
};

const meaningless = (refusal: Refusal): readonly unknown[] => {
  switch (refusal.type) {
    case 'object':
      return [null, {}];
    case 'marker':
      return [null];
    case 'list':
      return [null, []];
    case 'string':
      return [null, '', ...(refusal.pass ?? [])];
    case 'boolean':
      return [null, refusal.pass === true];
    case 'integer':
      return [null, 0];
    case 'quantity':
      return [null, 0, '0', ''];
  }
};

interface Case {
  readonly title: string;
  readonly kind: string;
  readonly path: string;
  readonly refusal: Refusal;
  /** The object with a value at the path. */
  readonly having: (value: unknown) => object;
  readonly field: string;
}

const instance = set(anInstance('refused'), 'spec', rich);
const machine = set(aMachine('refused'), 'spec.template.spec', rich);

const casesOf = (kind: string, object: object, prefix: string, refusals: Readonly<Record<string, Refusal>>): Case[] =>
  Object.entries(refusals).map(([path, refusal]) => ({
    title: `${prefix}${path}`,
    kind,
    path,
    refusal,
    having: value => set(object, `${prefix}${indexed(path)}`, value),
    field: `${prefix}${blamed(path)}`,
  }));

const cases: readonly Case[] = [
  ...casesOf('VirtualMachineInstance', instance, 'spec.', instanceRefusals),
  ...casesOf('VirtualMachine', machine, 'spec.template.spec.', instanceRefusals),
  ...casesOf('VirtualMachine', machine, 'spec.', machineRefusals),
];

/** Creates the object without keeping it, as a client that is strict about fields, or as one that is not. */
const tryOut = (object: object, fieldValidation: 'Strict' | 'Ignore'): Promise<Answer> => {
  const collection = pathOf(object).replace(/\/[^/]+$/, '');
  return post(control.admin, `${collection}?dryRun=All&fieldValidation=${fieldValidation}`, object);
};

describe('a field that is not supported', () => {
  test.each([...cases])('$kind $title is refused by name from every client', async one => {
    const message = refusalMessage(one.path, one.refusal);
    for (const value of meaningful(one.refusal)) {
      for (const strictness of ['Strict', 'Ignore'] as const) {
        const answer = await tryOut(one.having(value), strictness);
        const refused = expect.objectContaining({field: one.field, message: expect.stringContaining(message)});
        expect([value, answer.status, causes(answer)]).toEqual([value, 422, expect.arrayContaining([refused])]);
      }
    }
  });

  test.each([...cases])('$kind $title passes where it asks for nothing', async one => {
    for (const value of meaningless(one.refusal)) {
      for (const strictness of ['Strict', 'Ignore'] as const) {
        const answer = await tryOut(one.having(value), strictness);
        expect([value, answer.status, causes(answer)]).toEqual([value, 201, []]);
      }
    }
  });

  test('is refused by server-side apply too', async () => {
    const gpus = [{name: 'gpu', deviceName: 'gpu'}];
    for (const object of [
      set(instance, 'spec.domain.devices.gpus', gpus),
      set(machine, 'spec.template.spec.domain.devices.gpus', gpus),
    ]) {
      expect(causes(await send(control, object))).toContainEqual(
        expect.objectContaining({message: expect.stringContaining('domain.devices.gpus is not supported')}),
      );
    }
  });

  test('of a stored object stays until it is changed, and is found by who asks before a start', async () => {
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/virtualmachines.kubevirt.io';
    const {body} = await get(control.admin, path);
    const {versions} = (body as {spec: {versions: object[]}}).spec;
    const at = 'schema.openAPIV3Schema.properties.spec.properties.template.properties.spec.properties.resourceClaims';
    const looser = set(versions[0]!, `${at}.x-kubernetes-validations`, undefined);
    const stored = set(set(machine, 'metadata.name', 'stored'), 'spec.template.spec.resourceClaims', [{name: 'gpu'}]);
    const serve = async (version: object): Promise<void> => {
      const patch = [{op: 'replace', path: '/spec/versions/0', value: version}];
      expect(await jsonPatch(control.admin, path, patch)).toMatchObject({status: 200});
    };
    await serve(looser);
    await eventually(async () => expect((await send(control, stored)).status).toBe(201), {timeoutMs: 20_000});
    await serve(versions[0]!);
    const fresh = set(stored, 'metadata.name', 'fresh');
    await eventually(async () => expect((await tryOut(fresh, 'Strict')).status).toBe(422), {timeoutMs: 20_000});

    expect((await send(control, set(stored, 'metadata.labels', {app: 'web'}))).status).toBe(200);
    const changed = await send(control, set(stored, 'spec.template.spec.resourceClaims', [{name: 'nic'}]));
    expect(JSON.stringify(changed.body)).toContain('resourceClaims is not supported');
    const {body: found} = await get(control.admin, pathOf(stored));
    expect(refusedIn((found as {spec: object}).spec)).toEqual([
      refusalMessage('resourceClaims', instanceRefusals['resourceClaims']!),
    ]);
  }, 60_000);
});

test('an object that holds only refusals may be null or empty itself', async () => {
  for (const path of [
    'domain.machine',
    'domain.clock',
    'domain.clock.utc',
    'domain.features',
    'domain.features.acpi',
  ]) {
    for (const value of [null, {}]) {
      const answer = await tryOut(set(instance, `spec.${path}`, value), 'Strict');
      expect([path, value, causes(answer)]).toEqual([path, value, []]);
    }
  }
});
