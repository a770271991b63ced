import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from '@jest/globals';
import {kindMessage, kindRefusals, refusedAnnotationsIn, refusedIn} from '@wherry/api';
import {repository} from '../../scripts/core/paths.ts';
import {installAnnotationPolicy} from '../support/annotation-policy.ts';
import {get, post} from '../support/control-plane/admin.ts';
import {startControlPlane, type ControlPlane} from '../support/control-plane.ts';
import {causes, crdFolder, set} from '../support/crds.ts';
import {examplesFiles} from '../support/examples/generator.ts';
import {type Example, examplesIn, laterExampleFolder, pinnedExampleFolder} from '../support/examples/manifests.ts';
import {isMachine, type Outcome, outcomesOf} from '../support/examples/outcomes.ts';
import {type CommandFailed, Kubectl} from '../support/kubectl.ts';

const machines = '/apis/kubevirt.io/v1/namespaces/default/virtualmachines';

let control: ControlPlane;
let folder: string;
let examples: readonly Example[];
let outcomes: readonly Outcome[];
let laterOutcomes: readonly Outcome[];
const later = existsSync(laterExampleFolder);
beforeAll(async () => {
  control = await startControlPlane({crds: [crdFolder]});
  await installAnnotationPolicy(control.admin);
  folder = await pinnedExampleFolder();
  examples = await examplesIn(folder);
  outcomes = await outcomesOf(control.admin, examples);
  laterOutcomes = later ? await outcomesOf(control.admin, await examplesIn(laterExampleFolder)) : [];
}, 120_000);
afterAll(() => control?.stop(), 30_000);

const outcome = (file: string): Outcome => outcomes.find(one => one.file === file)!;

test("the pages say what becomes of KubeVirt's manifests: else run `npm run generate -- --examples`", async () => {
  expect(examples).toHaveLength(47);
  for (const [path, text] of await examplesFiles(outcomes)) {
    expect(await readFile(join(repository, path), 'utf8')).toBe(text);
  }
});

test('what is refused is refused for the reasons that the operator would find before a start', () => {
  const asked = examples.flatMap(({file, objects}) => objects.map(object => ({file, object})));
  for (const {file, object} of asked.filter(one => isMachine(one.object))) {
    const {here, why} = outcome(file);
    const fields = refusedIn(object.spec!);
    const {template} = object.spec as {template?: {metadata?: {annotations?: Record<string, string>}}};
    const [annotation] = refusedAnnotationsIn(template?.metadata?.annotations ?? object.metadata.annotations);
    if (here === 'runs') expect([file, fields, annotation]).toEqual([file, [], undefined]);
    // The policy comes first, and stops at its first reason.
    if (annotation !== undefined) expect([file, why]).toEqual([file, [annotation]]);
    // Values of the wrong shape are all that the API server names where there are any.
    else if (why.every(reason => reason.includes('not supported')))
      expect([file, fields.filter(field => !why.some(reason => reason.endsWith(field)))]).toEqual([file, []]);
  }
});

test('every reason says what to use instead, or which values there are', () => {
  const refused = outcomes.filter(({here}) => here === 'refused' || here === 'no such kind');
  expect(refused.length).toBeGreaterThan(0);
  for (const {file, why} of refused) {
    expect([file, why.length > 0]).toEqual([file, true]);
    for (const reason of why) expect([file, reason]).toEqual([file, expect.stringMatching(/: [a-z].{9,}$/)]);
  }
});

test('kubectl creates those that run or apply, and no others', async () => {
  const kubectl = new Kubectl(control.kubectl, control.kubeconfig, 'default');
  const failed = await kubectl.run('apply', '-f', folder).then(
    () => undefined,
    (error: unknown) => error as CommandFailed,
  );
  const machines = await kubectl.json<{items: {kind: string; metadata: {name: string}}[]}>('get', 'vm,vmi');
  const names = outcomes.filter(({here}) => here === 'runs').map(({object}) => object);
  expect(machines.items.map(({kind, metadata}) => `${kind} ${metadata.name}`).toSorted()).toEqual(
    [...new Set(names)].toSorted(),
  );
  for (const {why} of outcomes.filter(({here}) => here === 'refused')) {
    for (const reason of why) expect(failed?.stderr).toContain(reason.replace(/^\S+: /, ''));
  }
  const unknown = examples.flatMap(({objects}) => objects).filter(({kind}) => /Pool|Preset|MigrationPolicy/.test(kind));
  for (const {kind, apiVersion} of unknown) {
    expect(failed?.stderr).toContain(`no matches for kind "${kind}" in version "${apiVersion}"`);
  }
}, 60_000);

test('a machine applies with all that KubeVirt itself writes into it', async () => {
  const cirros = examples.find(({file}) => file === 'vm-cirros.yaml')!.objects[0]!;
  const additions = [
    ['metadata.name', 'stored'],
    // Its API server, about versions, and its controller.
    ['metadata.annotations', {'kubevirt.io/latest-observed-api-version': 'v1'}],
    ['metadata.finalizers', ['kubevirt.io/virtualMachineControllerFinalize']],
    ['spec.template.metadata.creationTimestamp', null],
    ['spec.template.spec.architecture', 'amd64'],
    ['spec.template.spec.domain.machine', {type: 'q35'}],
    ['spec.template.spec.domain.firmware', {uuid: '5d307ca9-b3ef-428c-8861-06e72d69f223', serial: 'a-serial'}],
  ] as const;
  const stored = additions.reduce((object: object, [path, value]) => set(object, path, value), cirros);
  const answer = await post(control.admin, `${machines}?dryRun=All&fieldValidation=Strict`, stored);
  expect([answer.status, causes(answer)]).toEqual([201, []]);
});

test('no kind that is said not to be served is served', async () => {
  const {body} = await get(control.admin, '/apis/kubevirt.io/v1');
  const served = (body as {resources: {kind: string}[]}).resources.map(
    ({kind}) => `${kind} of kubevirt.io is not served`,
  );
  const messages = kindRefusals.map(kindMessage);
  expect(messages.filter(message => served.some(one => message.startsWith(one)))).toEqual([]);
});

(later ? test : test.skip)('those of a later revision fare the same (needs ../shared/kubevirt/examples)', () => {
  expect(laterOutcomes).toEqual(outcomes);
});
