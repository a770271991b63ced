/** What users may do by the roles of the chart, asked of the API server. */
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {ChartTarget, helmAlone, chart} from '../support/chart.ts';
import {mergePatch, post} from '../support/control-plane/admin.ts';
import {startControlPlane} from '../support/control-plane.ts';
import {aMachine, pathOf} from '../support/crds.ts';

let target: ChartTarget;
const roles = ['view', 'edit', 'admin'] as const;
type Role = (typeof roles)[number];

const binding = (role: Role): object => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'RoleBinding',
  metadata: {name: role, namespace: 'default'},
  roleRef: {apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `kubevirt.io:${role}`},
  subjects: [{apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: role}],
});

beforeAll(async () => {
  target = new ChartTarget(await startControlPlane());
  await target.install();
  // What the aggregation of Kubernetes' own roles rests on is the label; no controller here carries it out.
  for (const role of roles) await target.apply(binding(role));
  await target.apply(aMachine('web'));
}, 90_000);
afterAll(() => target?.control.stop());

const may = async (user: string, verb: string, group: string, path: string): Promise<boolean> => {
  const [resource, ...rest] = path.split('/');
  const {body} = await post(target.control.admin, '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {user, resourceAttributes: {namespace: 'default', verb, group, resource, subresource: rest.join('/')}},
  });
  return (body as {status: {allowed: boolean}}).status.allowed;
};

/** Who may: all three, those who may edit, or admins alone. */
const everybody = ['view', 'edit', 'admin'];
const editors = ['edit', 'admin'];
const admins = ['admin'];
const nobody: string[] = [];

const own = 'kubevirt.io';
const sub = 'subresources.kubevirt.io';

const table: readonly [verb: string, group: string, resources: readonly string[], who: readonly string[]][] = [
  ['get', own, ['virtualmachines', 'virtualmachineinstances'], everybody],
  ['list', own, ['virtualmachines', 'virtualmachineinstances'], everybody],
  ['watch', own, ['virtualmachines', 'virtualmachineinstances'], everybody],
  ['create', own, ['virtualmachines', 'virtualmachineinstances'], editors],
  ['update', own, ['virtualmachines', 'virtualmachineinstances'], editors],
  ['patch', own, ['virtualmachines', 'virtualmachineinstances'], editors],
  ['delete', own, ['virtualmachines', 'virtualmachineinstances'], editors],
  ['deletecollection', own, ['virtualmachines', 'virtualmachineinstances'], admins],
  ['patch', own, ['virtualmachines/status'], editors],
  ['update', own, ['virtualmachines/status'], nobody],
  ['patch', own, ['virtualmachineinstances/status'], nobody],
  ['update', own, ['virtualmachines/finalizers'], nobody],
  [
    'get',
    sub,
    [
      'virtualmachines/expand-spec',
      'virtualmachineinstances/guestosinfo',
      'virtualmachineinstances/filesystemlist',
      'virtualmachineinstances/userlist',
      'virtualmachineinstances/sev/fetchcertchain',
      'virtualmachineinstances/sev/querylaunchmeasurement',
    ],
    everybody,
  ],
  ['update', sub, ['expand-vm-spec'], everybody],
  [
    'get',
    sub,
    [
      'virtualmachineinstances/console',
      'virtualmachineinstances/vnc',
      'virtualmachineinstances/vnc/screenshot',
      'virtualmachineinstances/portforward',
      'virtualmachineinstances/usbredir',
      'virtualmachines/portforward',
    ],
    editors,
  ],
  [
    'update',
    sub,
    [
      'virtualmachineinstances/pause',
      'virtualmachineinstances/unpause',
      'virtualmachineinstances/addvolume',
      'virtualmachineinstances/removevolume',
      'virtualmachineinstances/freeze',
      'virtualmachineinstances/unfreeze',
      'virtualmachineinstances/softreboot',
      'virtualmachineinstances/reset',
      'virtualmachineinstances/sev/setupsession',
      'virtualmachineinstances/sev/injectlaunchsecret',
      'virtualmachines/start',
      'virtualmachines/stop',
      'virtualmachines/restart',
      'virtualmachines/addvolume',
      'virtualmachines/removevolume',
      'virtualmachines/memorydump',
    ],
    editors,
  ],
  // As in KubeVirt, moving a guest takes a role of its own, which nobody has by being an admin of a namespace.
  ['update', sub, ['virtualmachines/migrate'], nobody],
  ['get', '', ['secrets'], nobody],
];

const rows = table.flatMap(([verb, group, resources, who]) =>
  resources.map(resource => [verb, group, resource, who] as const),
);

test.each(rows)('%s %s %s: %j', async (verb, group, resource, who) => {
  const allowed = await Promise.all(roles.map(role => may(role, verb, group, resource)));
  expect(roles.filter((_, index) => allowed[index])).toEqual(who);
});

interface Roles {
  items: {metadata: {name: string; labels: Record<string, string>}}[];
}

test('the roles are part of those of Kubernetes, unless the values say otherwise', async () => {
  const {items} = await target.json<Roles>('get', 'clusterroles', '-l', 'app.kubernetes.io/part-of=wherry');
  for (const role of roles) {
    const found = items.find(({metadata}) => metadata.name === `kubevirt.io:${role}`);
    expect(found?.metadata.labels).toHaveProperty([`rbac.authorization.k8s.io/aggregate-to-${role}`], 'true');
  }
  const apart = await helmAlone('template', 'wherry', chart, '--set', 'rbac.aggregate=false');
  expect(apart).toContain('name: kubevirt.io:edit');
  expect(apart).not.toContain('aggregate-to');
});

/** A patch of the machine's status by this user: the API server's answer, as the text that a person would read. */
const patch = async (user: string, status: object): Promise<string> => {
  const answer = await mergePatch(target.control.admin, `${pathOf(aMachine('web'))}/status`, {status}, {user});
  return answer.status === 200 ? 'done' : `${answer.status} ${(answer.body as {message: string}).message}`;
};

describe('the status of a machine', () => {
  test('is where an editor asks for a start', async () => {
    expect(await patch('edit', {stateChangeRequests: [{action: 'Start'}]})).toBe('done');
    expect(await patch('edit', {stateChangeRequests: null})).toBe('done');
  });

  test('is otherwise not for editors, who may read it and no more', async () => {
    const forged = [{printableStatus: 'Running'}, {ready: true, stateChangeRequests: [{action: 'Start'}]}];
    for (const status of forged) {
      expect(await patch('edit', status)).toMatch(/^403 .*writes its stateChangeRequests and nothing else/);
    }
  });

  test('cannot be emptied by an editor', async () => {
    await target.kubectl(
      'patch',
      'vm',
      'web',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"ready":false}}',
    );
    expect(await patch('edit', {ready: null})).toMatch(/^403 .*nothing else/);
    expect(await patch('edit', {stateChangeRequests: [{action: 'Stop', uid: 'of-a-run'}]})).toBe('done');
  });

  test('is not for viewers at all', async () => {
    expect(await patch('view', {stateChangeRequests: [{action: 'Start'}]})).toMatch(/^403 .*cannot patch resource/);
  });
});
