import {expect, test} from '@jest/globals';
import {fits, type NodeView, type Placement} from './node-fit.ts';

const node = (overrides: Partial<NodeView> = {}): NodeView => ({
  name: 'n1',
  labels: {zone: 'a', disk: 'ssd', cores: '8'},
  taints: [],
  unschedulable: false,
  ready: true,
  ...overrides,
});

const affinity = (...nodeSelectorTerms: object[]): Placement => ({
  affinity: {
    nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms}},
  },
});
const dedicated = {key: 'dedicated', value: 'vm', effect: 'NoSchedule'};

const table: [sentence: string, node: NodeView, placement: Placement, fits: boolean][] = [
  ['a plain pod fits a plain node', node(), {}, true],
  ['nothing fits a node that is not ready', node({ready: false}), {}, false],
  ['nothing fits a cordoned node', node({unschedulable: true}), {}, false],
  ['a selector fits the node with its labels', node(), {nodeSelector: {zone: 'a', disk: 'ssd'}}, true],
  ['a selector does not fit a node with another value', node(), {nodeSelector: {zone: 'b'}}, false],
  ['a taint keeps pods away', node({taints: [dedicated]}), {}, false],
  ['a soft taint keeps nobody away', node({taints: [{...dedicated, effect: 'PreferNoSchedule'}]}), {}, true],
  [
    'an equal toleration lets a pod in',
    node({taints: [dedicated]}),
    {tolerations: [{key: 'dedicated', operator: 'Equal', value: 'vm', effect: 'NoSchedule'}]},
    true,
  ],
  [
    'a toleration of another value does not',
    node({taints: [dedicated]}),
    {tolerations: [{key: 'dedicated', value: 'db'}]},
    false,
  ],
  [
    'a toleration of another effect does not',
    node({taints: [dedicated]}),
    {tolerations: [{key: 'dedicated', operator: 'Exists', effect: 'NoExecute'}]},
    false,
  ],
  ['a toleration of everything does', node({taints: [dedicated]}), {tolerations: [{operator: 'Exists'}]}, true],
  [
    'In wants one of its values',
    node(),
    affinity({matchExpressions: [{key: 'zone', operator: 'In', values: ['a', 'b']}]}),
    true,
  ],
  [
    'In does not fit a missing label',
    node(),
    affinity({matchExpressions: [{key: 'rack', operator: 'In', values: ['a']}]}),
    false,
  ],
  [
    'NotIn fits a missing label',
    node(),
    affinity({matchExpressions: [{key: 'rack', operator: 'NotIn', values: ['a']}]}),
    true,
  ],
  ['Exists wants the label', node(), affinity({matchExpressions: [{key: 'disk', operator: 'Exists'}]}), true],
  [
    'DoesNotExist wants it absent',
    node(),
    affinity({matchExpressions: [{key: 'disk', operator: 'DoesNotExist'}]}),
    false,
  ],
  ['Gt compares numbers', node(), affinity({matchExpressions: [{key: 'cores', operator: 'Gt', values: ['4']}]}), true],
  ['Lt compares numbers', node(), affinity({matchExpressions: [{key: 'cores', operator: 'Lt', values: ['4']}]}), false],
  [
    'a field selects a node by its name',
    node(),
    affinity({matchFields: [{key: 'metadata.name', operator: 'In', values: ['n1']}]}),
    true,
  ],
  [
    'one of several terms is enough',
    node(),
    affinity(
      {matchExpressions: [{key: 'zone', operator: 'In', values: ['b']}]},
      {matchExpressions: [{key: 'zone', operator: 'In', values: ['a']}]},
    ),
    true,
  ],
  [
    'all requirements of a term must hold',
    node(),
    affinity({
      matchExpressions: [
        {key: 'zone', operator: 'In', values: ['a']},
        {key: 'disk', operator: 'In', values: ['hdd']},
      ],
    }),
    false,
  ],
  ['an empty term fits nothing', node(), affinity({}), false],
];

test.each(table)('%s', (_sentence, node, placement, expected) => {
  expect(fits(node, placement)).toBe(expected);
});
