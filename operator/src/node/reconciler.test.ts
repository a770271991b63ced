import {expect, test} from '@jest/globals';
import type {Node} from '@wherry/kube';
import {NodeReconciler} from './reconciler.ts';
import type {DaemonState} from './sighting.ts';

const node = (schedulable: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {name: 'n1', resourceVersion: '7', labels: {'kubevirt.io/schedulable': schedulable, other: 'label'}},
});

/** What the reconciler writes about this node. */
const written = async (stored: Node | undefined, state: DaemonState, confirmed = state): Promise<object[]> => {
  const patches: object[] = [];
  const reconciler = new NodeReconciler({
    client: {
      mergePatch: async (_resource, _key, patch) => {
        patches.push(patch);
        return stored as never;
      },
    },
    nodes: {get: () => stored},
    daemons: {stateOf: () => state, confirmed: async () => confirmed},
  });
  await reconciler.reconcile({name: 'n1'}, new AbortController().signal);
  return patches;
};

const patch = (value: string): object => ({metadata: {labels: {'kubevirt.io/schedulable': value}}});

test('a node whose daemon is silent gets no guests', async () => {
  expect(await written(node('true'), 'silent')).toEqual([patch('false')]);
});

test('it gets some again when its daemon is back', async () => {
  expect(await written(node('false'), 'answers')).toEqual([patch('true')]);
});

test('nothing is written of a daemon that turns out to be alive, nor where all is well', async () => {
  expect(await written(node('true'), 'silent', 'answers')).toEqual([]);
  expect(await written(node('true'), 'answers')).toEqual([]);
  expect(await written(node('false'), 'missing')).toEqual([]);
});

test('a node that is gone is nobody’s business', async () => {
  expect(await written(undefined, 'silent')).toEqual([]);
});
