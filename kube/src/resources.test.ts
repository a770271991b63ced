import {expect, test} from '@jest/globals';
import {apiVersionOf, collectionPath, coordination, core, objectPath} from './resources.ts';

test.each([
  [objectPath(core.pods, {namespace: 'default', name: 'web'}), '/api/v1/namespaces/default/pods/web'],
  [objectPath(core.pods, {namespace: 'default', name: 'web'}, 'status'), '/api/v1/namespaces/default/pods/web/status'],
  [objectPath(core.nodes, {name: 'n1'}), '/api/v1/nodes/n1'],
  [
    objectPath(coordination.leases, {namespace: 'kube-system', name: 'op'}),
    '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/op',
  ],
  [collectionPath(core.pods), '/api/v1/pods'],
  [collectionPath(core.pods, 'a'), '/api/v1/namespaces/a/pods'],
  [collectionPath(coordination.leases), '/apis/coordination.k8s.io/v1/leases'],
])('the path %s is the one the API serves', (path, served) => {
  expect(path).toBe(served);
});

test('a name cannot reach outside its path', () => {
  expect(objectPath(core.pods, {namespace: '..', name: '../../nodes/n1?x'})).toBe(
    '/api/v1/namespaces/../pods/..%2F..%2Fnodes%2Fn1%3Fx',
  );
});

test('a key of the wrong scope is refused with the remedy', () => {
  expect(() => objectPath(core.pods, {name: 'web'})).toThrow('Pod web: give its namespace');
  expect(() => objectPath(core.nodes, {namespace: 'a', name: 'n1'})).toThrow('Node n1: give no namespace');
});

test('the core group has no name in apiVersion', () => {
  expect(apiVersionOf(core.pods)).toBe('v1');
  expect(apiVersionOf(coordination.leases)).toBe('coordination.k8s.io/v1');
});
