import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {core, type KubeObject} from '@wherry/kube';
import {type Instance, instances, machines} from '@wherry/operator';
import {beforeTheRules} from './operator/looser-rules.ts';
import {aNode, Stage, type VmOptions} from './operator/stage.ts';
import {Theatre} from './operator/theatre.ts';
import {eventually} from '../support/eventually.ts';

jest.setTimeout(60_000);

/** Refused now, and stored before it was. */
const asked = {resourceClaims: [{name: 'gpu'}]};
const annotations = {'kubevirt.io/ignitiondata': '{}'};
const said = /resourceClaims is not supported: leave it out/;

let theatre: Theatre;
let on: Stage;

const anInstance = (name: string, spec: object, own: object = {}): Instance =>
  ({
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {name, namespace: on.namespace, annotations: own},
    spec: {domain: {memory: {guest: '128Mi'}, devices: {}}, ...spec},
  }) as never;

const sooner = async (name: string, options: VmOptions): Promise<void> =>
  eventually(() => on.make(name, {runStrategy: 'Halted', ...options}), {timeoutMs: 20_000, everyMs: 100});

beforeAll(async () => {
  theatre = await Theatre.open();
  await theatre.client.create(core.nodes, aNode('n1'));
  await theatre.ready('n1');
  on = await Stage.open(theatre.client, 'stored');
  await beforeTheRules(theatre.client, 'resourceClaims', async () => {
    await sooner('machine', {spec: asked});
    await sooner('annotated', {annotations});
    await eventually(() => on.client.create(instances, anInstance('alone', asked)), {timeoutMs: 20_000});
    await eventually(() => on.client.create(instances, anInstance('noted', {}, annotations)), {timeoutMs: 20_000});
  });
  await theatre.startOperator('one');
}, 120_000);
afterAll(() => theatre.close(), 30_000);

const failure = async (name: string) => (await on.vm(name))?.status?.conditions?.find(({type}) => type === 'Failure');

test('a stored machine that asks for what is refused by now is not started: Failure and an event name it', async () => {
  await on.setRunStrategy('machine', 'Always');
  const condition = await on.until('the machine says why', () => failure('machine'));
  expect(condition).toMatchObject({status: 'True', reason: 'NotSupported', message: expect.stringMatching(said)});
  await on.until('the event', async () => (await on.events('machine')).includes('FailedCreate'));
  const {resourceVersion} = (await on.vm('machine'))!.metadata;
  await new Promise(resolve => setTimeout(resolve, 1000));
  // Nothing is tried again and again: not an instance, not a write, not an event.
  expect(await on.vmi('machine')).toBeUndefined();
  expect((await on.vm('machine'))?.metadata.resourceVersion).toBe(resourceVersion);
  expect((await on.events('machine')).filter(reason => reason === 'FailedCreate')).toHaveLength(1);
});

test('it starts when the field is taken out, and no longer complains', async () => {
  const key = {namespace: on.namespace, name: 'machine'};
  await on.client.mergePatch(machines, key, {spec: {template: {spec: {resourceClaims: null}}}});
  await on.started('machine');
  await on.until('the condition is gone', async () => (await failure('machine')) === undefined);
});

test('so it is with an annotation of its template', async () => {
  await on.setRunStrategy('annotated', 'Always');
  const condition = await on.until('the machine says why', () => failure('annotated'));
  expect(condition?.message).toMatch(/the annotation kubevirt.io\/ignitiondata is not supported/);
  expect(await on.vmi('annotated')).toBeUndefined();
});

test.each([
  ['alone', said],
  ['noted', /the annotation kubevirt.io\/ignitiondata is not supported/],
])('a stored instance %s gets no pod, and says why', async (name, message) => {
  const vmi = await on.phase(name, 'Pending');
  const synchronized = vmi.status?.conditions?.find(({type}) => type === 'Synchronized');
  expect(synchronized).toMatchObject({
    status: 'False',
    reason: 'NotSupported',
    message: expect.stringMatching(message),
  });
  await on.until('the event', async () => (await on.events(name)).includes('NotSupported'));
  const owned = (pod: KubeObject): boolean => pod.metadata.labels?.['kubevirt.io/created-by'] === vmi.metadata.uid;
  expect((await on.pods()).filter(owned)).toEqual([]);
});

test('a new object is refused before it is stored', async () => {
  await expect(on.make('new', {spec: asked})).rejects.toThrow(said);
  await expect(on.make('new', {annotations})).rejects.toThrow(/ignitiondata is not supported/);
});
