/** Nodes that are not heard of: what is said of their guests, and when those run elsewhere. */
import {afterAll, afterEach, beforeAll, expect, jest, test} from '@jest/globals';
import {core, coordination} from '@wherry/kube';
import {machines} from '@wherry/operator';
import {mergePatch, post} from '../support/control-plane/admin.ts';
import {readyOf, TestNode} from './operator/lost-node.ts';
import {Stage} from './operator/stage.ts';
import {Theatre} from './operator/theatre.ts';

jest.setTimeout(60_000);

let theatre: Theatre;
const nodes: TestNode[] = [];
const join = async (name: string): Promise<TestNode> => {
  const node = await TestNode.join(theatre, name);
  nodes.push(node);
  return node;
};
/** Nodes that are well, so that those that are lost are not most of them. */
let well: TestNode;
beforeAll(async () => {
  theatre = await Theatre.open();
  well = await join('well');
  await join('fine');
  await join('sound');
}, 90_000);
afterEach(() => theatre.stopOperators());
afterAll(async () => {
  await Promise.all(nodes.map(({daemon}) => daemon.stop()));
  await theatre?.close();
}, 30_000);

let count = 0;
const stage = async (): Promise<Stage> => {
  await theatre.startOperator('one');
  return Stage.open(theatre.client, `loss-${(count += 1)}`);
};

test('a lost node is said on its guests and machines, once; nothing runs elsewhere before it is fenced', async () => {
  const on = await stage();
  const node = await join('lost');
  const first = await node.hosts(on, 'web');
  await node.lose();
  const vmi = await on.phase('web', 'Unknown');
  expect(readyOf(vmi)).toMatchObject({reason: 'NodeUnresponsive'});
  const vm = await on.status('web', 'Unknown');
  expect(readyOf(vm)?.message).toContain(
    'kubectl taint nodes lost node.kubernetes.io/out-of-service=nodeshutdown:NoExecute',
  );
  await on.until('no guest is sent there any more', async () => (await node.label()) === 'false');
  const versions = async () => [
    (await on.vm('web'))?.metadata.resourceVersion,
    (await on.vmi('web'))?.metadata.resourceVersion,
  ];
  const before = await versions();
  await new Promise(resolve => setTimeout(resolve, 2000));
  expect(await versions()).toEqual(before);
  expect((await on.pods()).map(({metadata}) => metadata.uid)).toEqual(Object.keys(first.status?.activePods ?? {}));
  expect((await on.events('web')).filter(reason => reason === 'NodeUnresponsive')).toHaveLength(2);

  await node.taint();
  await well.runs(on, 'web', first.metadata.uid);
  expect((await on.pods()).map(({spec}) => spec?.nodeName)).toEqual(['well']);
  expect(await on.events('web')).toContain('NodeUnresponsive');
});

test('a machine that is deleted while its node is lost stays, says why, and goes when the Node is deleted', async () => {
  const on = await stage();
  const node = await join('gone');
  await node.hosts(on, 'web');
  await node.lose();
  await on.phase('web', 'Unknown');
  await on.client.delete(machines, {namespace: on.namespace, name: 'web'});
  await on.until('it says why it stays', async () =>
    readyOf(await on.vm('web'))?.message?.includes('it is not removed'),
  );
  const described = await theatre.kubectl(on.namespace).run('describe', 'vm', 'web');
  expect(described).toContain('kubectl delete node gone');
  await node.delete();
  await on.until('all is gone', async () => {
    const left = [await on.vm('web'), await on.vmi('web'), ...(await on.pods())];
    return left.every(one => one === undefined);
  });
});

const leases = '/apis/coordination.k8s.io/v1/namespaces/wherry/leases';
const daemonOf = (node: string) => ({
  user: 'system:serviceaccount:wherry:wherry-node-daemon',
  extra: {'authentication.kubernetes.io/node-name': node},
});
const operator = {user: 'system:serviceaccount:wherry:wherry-operator'};
const said = ({status, body}: {status: number; body: unknown}): string =>
  `${status} ${(body as {message?: string}).message ?? ''}`;
const aLease = (name: string, owner: object) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: {name, ownerReferences: [owner]},
  spec: {holderIdentity: 'pod', leaseDurationSeconds: 40},
});

test('a daemon makes and renews the Lease of its own node, which goes with that node, and no other', async () => {
  const {admin} = theatre;
  const uid = (await theatre.client.get(core.nodes, {name: 'well'}))?.metadata.uid;
  const owner = {apiVersion: 'v1', kind: 'Node', name: 'well', uid};
  const renewal = {spec: {renewTime: '2026-01-01T00:00:00.000000Z'}};
  await theatre.client.delete(coordination.leases, {namespace: 'wherry', name: 'node-daemon-fine'});
  const own = `${leases}/node-daemon-well`;
  expect(said(await mergePatch(admin, own, renewal, daemonOf('well')))).toMatch(/^200/);
  expect(said(await mergePatch(admin, own, renewal, daemonOf('fine')))).toMatch(
    /^403 .*only the Lease of its own node/,
  );
  expect(said(await mergePatch(admin, own, renewal, daemonOf('')))).toMatch(/^403 .*only the Lease of its own node/);
  expect(said(await mergePatch(admin, `${leases}/wherry-operator`, renewal, daemonOf('well')))).toMatch(/^403/);
  expect(said(await post(admin, leases, aLease('node-daemon-other', owner), daemonOf('well')))).toMatch(
    /^403 .*own node/,
  );
  const pinned = {metadata: {finalizers: ['example.com/forever']}};
  expect(said(await mergePatch(admin, own, pinned, daemonOf('well')))).toMatch(/^403 .*goes with its Node/);
  const another = {...owner, kind: 'Namespace'};
  expect(said(await post(admin, leases, aLease('node-daemon-apart', another), daemonOf('apart')))).toMatch(
    /^403 .*its Node/,
  );
});

test('a daemon reads no Lease and deletes none, and has none in another namespace', async () => {
  const kubectl = theatre.kubectl('wherry');
  const may = (verb: string, ...more: string[]): Promise<boolean> =>
    kubectl.run('auth', 'can-i', verb, 'leases', `--as=${daemonOf('').user}`, ...more).then(
      () => true,
      () => false,
    );
  const verbs = ['create', 'patch', 'get', 'list', 'watch', 'update', 'delete'];
  expect(await Promise.all(verbs.map(verb => may(verb)))).toEqual([true, true, false, false, false, false, false]);
  expect(await may('patch', '--namespace=kube-node-lease')).toBe(false);
});

const patchNode = (change: object) => mergePatch(theatre.admin, '/api/v1/nodes/sound', change, operator).then(said);

test('the operator writes one label of a node, and nothing else of it', async () => {
  const label = (value: string | null) => patchNode({metadata: {labels: {'kubevirt.io/schedulable': value}}});
  expect(await label('false')).toMatch(/^200/);
  expect(await label('true')).toMatch(/^200/);
  const refused = /^403 .*only the label kubevirt\.io\/schedulable/;
  expect(await label('often')).toMatch(refused);
  expect(await label(null)).toMatch(refused);
  expect(await patchNode({metadata: {labels: {'node-role.kubernetes.io/control-plane': ''}}})).toMatch(refused);
  expect(await patchNode({metadata: {annotations: {a: 'b'}}})).toMatch(refused);
  expect(await patchNode({spec: {unschedulable: true}})).toMatch(refused);
  expect(await patchNode({spec: {taints: [{key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute'}]}})).toMatch(
    refused,
  );
});
