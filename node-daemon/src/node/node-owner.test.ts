import {expect, test} from '@jest/globals';
import {nodeOwner} from './node-owner.ts';

test('a Lease goes with its Node, and with no successor of the same name', () => {
  const node = {apiVersion: 'v1', kind: 'Node', metadata: {name: 'n1', uid: 'first'}} as const;
  expect(nodeOwner('n1', node)).toEqual({apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'first'});
});

test('a node that is not there owns nothing', () => {
  expect(() => nodeOwner('n1', undefined)).toThrow(/there is no Node n1/);
});
