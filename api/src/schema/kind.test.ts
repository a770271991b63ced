import {expect, test} from '@jest/globals';
import {customResourceDefinition, type Kind, object, optional, string} from './index.ts';

const spec = object('What is wanted.', {color: optional(string('A color.', {maxLength: 16}))});
const status = object('What is.', {});

const boat = {
  group: 'example.org',
  version: 'v1',
  kind: 'Boat',
  plural: 'boats',
  singular: 'boat',
  shortNames: ['b'],
  categories: ['all'],
  description: 'Boat floats.',
  columns: [
    {name: 'Color', type: 'string', description: 'Its color.', jsonPath: '.spec.color'},
    {name: 'Depth', type: 'integer', description: 'Its depth.', jsonPath: '.status.depth', wide: true},
  ],
  spec,
  status,
} as const satisfies Kind<typeof spec, typeof status>;

test('a kind becomes a definition of one version with a status subresource', () => {
  expect(customResourceDefinition(boat)).toEqual({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {name: 'boats.example.org', labels: {'app.kubernetes.io/part-of': 'wherry'}},
    spec: {
      group: 'example.org',
      scope: 'Namespaced',
      names: {
        kind: 'Boat',
        listKind: 'BoatList',
        plural: 'boats',
        singular: 'boat',
        shortNames: ['b'],
        categories: ['all'],
      },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: {status: {}},
          additionalPrinterColumns: [
            {name: 'Color', type: 'string', description: 'Its color.', jsonPath: '.spec.color'},
            {name: 'Depth', type: 'integer', description: 'Its depth.', jsonPath: '.status.depth', priority: 1},
          ],
          schema: {
            openAPIV3Schema: expect.objectContaining({
              description: 'Boat floats.',
              required: ['spec'],
              properties: expect.objectContaining({metadata: {type: 'object'}, spec: spec.json, status: status.json}),
            }),
          },
        },
      ],
    },
  });
});

test('field selectors and rules of the whole object are named where there are any', () => {
  const rules = [{rule: 'true', message: 'always'}];
  const definition = customResourceDefinition({...boat, selectable: ['.status.dock'], rules});
  expect(definition).toMatchObject({
    spec: {
      versions: [
        {
          selectableFields: [{jsonPath: '.status.dock'}],
          schema: {openAPIV3Schema: {'x-kubernetes-validations': rules}},
        },
      ],
    },
  });
  expect(JSON.stringify(customResourceDefinition(boat))).not.toMatch(/selectableFields|x-kubernetes-validations/);
});
