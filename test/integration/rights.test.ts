/** What the accounts of the chart may do, by the tokens that the API server issues for them, asked of the API server itself. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {parse} from 'yaml';
import {Account, no, selfReview} from '../support/accounts.ts';
import {ChartTarget} from '../support/chart.ts';
import {call} from '../support/control-plane/admin.ts';
import {startControlPlane} from '../support/control-plane.ts';
import {aMachine, anInstance, crdFolder, pathOf} from '../support/crds.ts';
import {
  aLease,
  anEvent,
  before,
  conditions,
  fields,
  guest,
  never,
  notItsGuest,
  phases,
  statusOf,
  table,
  transitions,
  yes,
} from './rights/daemon.ts';
import {
  launcherBudget,
  launcherPod,
  neverOfTheOperator,
  operatorTable,
  somebodysBudget,
  somebodysPod,
  testTable,
  uninstallTable,
} from './rights/operator.ts';

let target: ChartTarget;
/** The daemon of the node that the objects of its table belong to, that of another node, and a token for no pod. */
let own: Account;
let others: Account;
let unbound: Account;
let operator: Account;
let uninstall: Account;
let guestTest: Account;

beforeAll(async () => {
  target = new ChartTarget(await startControlPlane());
  const {control} = target;
  await target.install();
  const labels = {'cpu-model.node.kubevirt.io/Old': 'true', zone: 'a'};
  const nodes = ['one', 'two'].map(name => ({apiVersion: 'v1', kind: 'Node', metadata: {name, labels}}));
  const guests = ['guest', 'early', ...phases.map(guest)].map(anInstance);
  const events = [anEvent({name: 'of-the-kubelet', component: 'kubelet'}), anEvent({name: 'of-one'})];
  const pods = [launcherPod, somebodysPod, launcherBudget, somebodysBudget];
  await target.apply({
    apiVersion: 'v1',
    kind: 'List',
    items: [...nodes, ...guests, aMachine('vm'), ...events, ...pods, aLease('node-daemon-one')],
  });
  for (const phase of phases)
    await setStatus(guest(phase), {phase, nodeName: 'one', activePods: {uid: 'one'}, conditions: before});
  own = await Account.onNode(control, 'wherry-node-daemon', 'one');
  others = await Account.onNode(control, 'wherry-node-daemon', 'two');
  unbound = await Account.unbound(control, 'wherry-node-daemon');
  operator = await Account.unbound(control, 'wherry-operator');
  await target.applyHook('post-delete');
  uninstall = await Account.unbound(control, 'wherry-uninstall');
  await target.applyHook('test');
  guestTest = await Account.unbound(control, 'wherry-test');
}, 120_000);
afterAll(() => target?.control.stop());

const setStatus = (name: string, status: object): Promise<unknown> =>
  call(target.control.admin, {
    method: 'PATCH',
    path: `${pathOf(anInstance(name))}/status`,
    type: 'application/merge-patch+json',
    body: {status},
  });

describe('a node-daemon', () => {
  test.each(table)('%s', async (_what, asked, ...expected) => {
    const answers = await Promise.all([own, others, unbound].map(account => account.may(asked)));
    answers.forEach((answer, at) => expect(answer).toMatch(expected[at]!));
  });

  test.each(never)('never: $ask', async asked => {
    for (const account of [own, others, unbound]) expect(await account.may(asked)).toMatch(no);
  });

  test('is known by the node that it runs on', async () => {
    const {body} = await call(
      {...target.control.admin, token: own.token},
      {
        method: 'POST',
        path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
        type: 'application/json',
        body: selfReview,
      },
    );
    expect((body as {status: {userInfo: object}}).status.userInfo).toMatchObject({
      username: 'system:serviceaccount:wherry:wherry-node-daemon',
      extra: {'authentication.kubernetes.io/node-name': ['one']},
    });
  });
});

describe('the phase of a guest, by the daemon of its node', () => {
  test.each(phases)('from %s', async from => {
    const answers = await Promise.all(phases.map(to => own.may(statusOf(guest(from), {phase: to}))));
    expect(new Set(phases.filter((_, at) => answers[at] === 'yes'))).toEqual(new Set(transitions[from]));
    for (const answer of answers)
      expect(answer).toMatch(/^yes$|^403 .*(from its hand-over to its end|every other phase is the operator's)/);
  });
});

describe('the status of a guest', () => {
  test('has no field that the list does not know', async () => {
    interface Crd {
      spec: {versions: [{schema: {openAPIV3Schema: {properties: {status: {properties: object}}}}}]};
    }
    const crd = parse(await readFile(join(crdFolder, 'virtualmachineinstances.yaml'), 'utf8')) as Crd;
    const {properties} = crd.spec.versions[0].schema.openAPIV3Schema.properties.status;
    expect(Object.keys(fields).toSorted()).toEqual(Object.keys(properties).toSorted());
  });

  test.each(Object.entries(fields))('%s', async (field, [value, may]) => {
    const answer = await own.may(statusOf(guest('Running'), {[field]: value}));
    expect(answer).toMatch(may ? yes : /^403 .*(leaves the rest of the status to the operator|to another node)/);
    expect(await others.may(statusOf(guest('Running'), {[field]: value}))).toMatch(notItsGuest);
  });

  test('keeps what the operator wrote', async () => {
    expect(await own.may(statusOf(guest('Running'), {activePods: null}))).toMatch(/^403 .*rest of the status/);
    expect(await own.may(statusOf(guest('Running'), {conditions: []}))).toMatch(/^403 .*its own conditions/);
  });

  test.each(conditions)('takes the condition %s: %p', async (type, may) => {
    const answer = await own.may(statusOf(guest('Running'), {conditions: [...before, {type, status: 'True'}]}));
    expect(answer).toMatch(may ? yes : /^403 .*writes its own conditions and no other/);
  });
});

describe('the operator', () => {
  test.each(operatorTable)('%s', async (_what, asked, expected) => {
    expect(await operator.may(asked)).toMatch(expected);
  });

  test.each(neverOfTheOperator)('never: $ask', async asked => {
    expect(await operator.may(asked)).toMatch(no);
  });
});

test.each(uninstallTable.map(([asked, may]) => ({...asked, may})))(
  'the uninstall hook: $ask: $may',
  async ({may, ...asked}) => {
    expect(await uninstall.may(asked)).toMatch(may ? yes : no);
  },
);

test.each(testTable.map(([asked, may]) => ({...asked, may})))(
  'the test of the chart: $ask: $may',
  async ({may, ...asked}) => {
    expect(await guestTest.may(asked)).toMatch(may ? yes : no);
  },
);
