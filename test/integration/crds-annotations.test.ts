import {afterAll, beforeAll, expect, test} from '@jest/globals';
import {
  annotationMessage,
  annotationRefusals,
  pausedAnnotationMessages,
  refusedAnnotationsIn,
  type VirtualMachineInstance,
} from '@wherry/api';
import {installAnnotationPolicy} from '../support/annotation-policy.ts';
import {get, post, type Answer} from '../support/control-plane/admin.ts';
import {startControlPlane, type ControlPlane} from '../support/control-plane.ts';
import {aMachine, anInstance, crdFolder, pathOf, send, set} from '../support/crds.ts';

let control: ControlPlane;

/** Creates the object without keeping it, as a client that does not care for fields that are not known. */
const tryOut = (object: object): Promise<Answer> =>
  post(control.admin, `${pathOf(object).replace(/\/[^/]+$/, '')}?dryRun=All&fieldValidation=Ignore`, object);

const [hooks, placement] = ['hooks.kubevirt.io/hookSidecars', 'kubevirt.io/placePCIDevicesOnRootComplex'] as const;
const annotated = (annotations: object): readonly object[] => [
  set(anInstance('annotated'), 'metadata.annotations', annotations),
  set(aMachine('annotated'), 'spec.template.metadata', {annotations}),
];
const messageOf = (name: string): string => annotationMessage(name, annotationRefusals[name]!);

beforeAll(async () => {
  control = await startControlPlane({crds: [crdFolder]});
  for (const object of annotated({[hooks]: 'stored before'})) {
    expect((await send(control, object)).status).toBe(201);
  }
  await installAnnotationPolicy(control.admin);
}, 90_000);
afterAll(() => control.stop(), 30_000);

test('an annotation that turns a feature on is refused by name, on an instance and in a template', async () => {
  for (const name of Object.keys(annotationRefusals)) {
    for (const object of annotated({[name]: 'something'})) {
      const answer = await tryOut(set(object, 'metadata.name', 'new'));
      expect([name, answer.status, JSON.stringify(answer.body)]).toEqual([
        name,
        403,
        expect.stringContaining(messageOf(name)),
      ]);
    }
  }
});

test('what asks for nothing passes, and what only the machine has: that reaches no instance', async () => {
  const idle = {[placement]: 'false', [hooks]: '', 'wherry.dev/engine': 'qemu'};
  const own = set(aMachine('new'), 'metadata.annotations', {[hooks]: 'x'});
  for (const object of [...annotated(idle).map(one => set(one, 'metadata.name', 'new')), own, anInstance('new')]) {
    const answer = await tryOut(object);
    expect([object, answer.status]).toEqual([object, 201]);
  }
});

test('a stored object can be changed, but for its annotation', async () => {
  for (const object of annotated({[hooks]: 'stored before'})) {
    expect((await send(control, set(object, 'metadata.labels', {app: 'web'}))).status).toBe(200);
  }
  for (const object of annotated({[hooks]: 'other'})) {
    expect((await send(control, object)).status).toBe(403);
  }
});

test('what a stored object has is found by who asks before a start', async () => {
  const {body} = await get(control.admin, pathOf(anInstance('annotated')));
  expect(refusedAnnotationsIn((body as VirtualMachineInstance).metadata.annotations)).toEqual([messageOf(hooks)]);
});

const wish = (value: string): readonly object[] =>
  annotated({'wherry.dev/paused': value}).map(one => set(one, 'metadata.name', 'new'));

test('the annotation that pauses a guest is true or false, and not true for one that is asked whether it lives', async () => {
  for (const object of [...wish('true'), ...wish('false')]) expect((await tryOut(object)).status).toBe(201);
  for (const object of wish('yes'))
    expect(await tryOut(object)).toMatchObject({
      status: 422,
      body: {message: expect.stringContaining(pausedAnnotationMessages.value)},
    });
  const [instance, machine] = wish('true');
  const livenessProbe = {tcpSocket: {port: 80}};
  const probed = [
    set(instance!, 'spec.livenessProbe', livenessProbe),
    set(machine!, 'spec.template.spec.livenessProbe', livenessProbe),
  ];
  for (const object of probed)
    expect(await tryOut(object)).toMatchObject({
      status: 422,
      body: {message: expect.stringContaining(pausedAnnotationMessages.probed)},
    });
});
