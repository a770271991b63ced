import {expect, test} from '@jest/globals';
import type {Node} from '@wherry/kube';
import {isDraining, isOutOfService, trimNode, viewOf} from './view.ts';

const node: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {name: 'n1', uid: 'u', resourceVersion: '1', labels: {zone: 'a'}, annotations: {much: 'text'}},
  spec: {unschedulable: true, taints: [{key: 'k', effect: 'NoSchedule'}], podCIDR: '10.0.0.0/24'},
  status: {
    conditions: [
      {type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:00:00Z'},
      {type: 'DiskPressure', status: 'False'},
    ],
    images: [{names: ['large'], sizeBytes: 1}],
  },
};

test('trimming keeps all that placement looks at', () => {
  expect(viewOf(trimNode(node))).toEqual(viewOf(node));
  expect(viewOf(node)).toEqual({
    name: 'n1',
    labels: {zone: 'a'},
    taints: [{key: 'k', effect: 'NoSchedule'}],
    unschedulable: true,
    ready: true,
  });
});

test('trimming drops what makes nodes large', () => {
  expect(JSON.stringify(trimNode(node))).not.toMatch(/large|much|Heartbeat|DiskPressure/);
});

test('a node without a Ready condition is not ready', () => {
  expect(viewOf({apiVersion: 'v1', kind: 'Node', metadata: {name: 'new'}}).ready).toBe(false);
});

test('the out-of-service taint fences a node', () => {
  expect(isOutOfService(node)).toBe(false);
  const taints = [{key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute'}];
  expect(isOutOfService({...node, spec: {taints}})).toBe(true);
});

test.each([
  ['is cordoned, as kubectl drain does first', {unschedulable: true}, true],
  ['has a taint by which a tool says so', {taints: [{key: 'karpenter.sh/disrupted', effect: 'NoSchedule'}]}, true],
  ['is tainted for another reason', {taints: [{key: 'dedicated', effect: 'NoSchedule'}]}, false],
  ['is in use', {}, false],
])('a node that %s', (_sentence, spec, draining) => {
  expect(isDraining({apiVersion: 'v1', kind: 'Node', metadata: {name: 'n1'}, spec})).toBe(draining);
});
