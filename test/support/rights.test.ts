import {expect, test} from '@jest/globals';
import {rightsOf, rightsTable, tooMuch} from './rights.ts';

test.each([
  ['all API groups', {apiGroups: ['*'], resources: ['pods'], verbs: ['get']}],
  ['all resources', {apiGroups: [''], resources: ['*'], verbs: ['get']}],
  ['all verbs', {apiGroups: [''], resources: ['pods'], verbs: ['*']}],
  ['paths beside the resources', {nonResourceURLs: ['/metrics'], verbs: ['get']}],
  ['impersonate', {apiGroups: [''], resources: ['anybody'], verbs: ['impersonate']}],
  ['escalate', {apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], verbs: ['escalate']}],
  ['secrets', {apiGroups: [''], resources: ['pods', 'secrets'], verbs: ['delete']}],
  ['pods/exec', {apiGroups: [''], resources: ['pods/exec'], verbs: ['create']}],
  ['nodes/proxy', {apiGroups: [''], resources: ['nodes/proxy'], verbs: ['get']}],
])('%s is too much', (what, rule) => {
  expect(tooMuch(rule)).toBe(what);
});

test('a plain rule is not', () => {
  expect(tooMuch({apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get', 'list']})).toBeUndefined();
});

const rules = [{apiGroups: [''], resources: ['leases'], resourceNames: ['a'], verbs: ['get', 'patch']}];
const objects = [
  {kind: 'Role', metadata: {name: 'r'}, rules},
  {
    kind: 'RoleBinding',
    metadata: {name: 'b'},
    roleRef: {kind: 'Role', name: 'r'},
    subjects: [{kind: 'ServiceAccount', name: 'daemon'}],
  },
  {kind: 'ClusterRole', metadata: {name: 'view'}, rules: [{resources: ['pods'], verbs: ['get']}]},
];

test('a rule belongs to the account that its role is bound to, else to the role', () => {
  expect(rightsOf(objects).map(({who, scope}) => [who, scope])).toEqual([
    ['daemon', 'namespace'],
    ['view', 'cluster'],
  ]);
});

test('the table has a row for each rule', () => {
  expect(rightsTable(rightsOf(objects)).split('\n').slice(2)).toEqual([
    '| daemon | its own namespace | get, patch | leases, named a |',
    '| view | all namespaces | get | pods |',
  ]);
});
