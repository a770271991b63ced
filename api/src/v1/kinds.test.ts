import {describe, expect, test} from '@jest/globals';
import {reservedLabels} from '../constants/index.ts';
import {customResourceDefinition, type JsonSchema} from '../schema/index.ts';
import {kinds} from './index.ts';

interface Node {
  readonly path: string;
  readonly schema: JsonSchema;
}

const nodes = (path: string, schema: JsonSchema): readonly Node[] => [
  {path, schema},
  ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => nodes(`${path}.${name}`, child)),
  ...(schema.items === undefined ? [] : nodes(`${path}[]`, schema.items)),
  ...(schema.additionalProperties === undefined ? [] : nodes(`${path}{}`, schema.additionalProperties)),
];

/** Paths of the nodes that fail the check: an empty list reads well in a failure. */
const failing = (all: readonly Node[], holds: (schema: JsonSchema) => boolean): readonly string[] =>
  all.filter(({schema}) => !holds(schema)).map(({path}) => path);

/** Whether every object of the list has its keys: given, or by default. */
const certain = ({items, 'x-kubernetes-list-map-keys': keys}: JsonSchema): boolean =>
  keys!.every(key => items!.required?.includes(key) === true || items!.properties![key]!.default !== undefined);

describe.each(kinds.map(kind => [kind.kind, kind] as const))('%s', (_, kind) => {
  const all = [...nodes('spec', kind.spec.json), ...nodes('status', kind.status.json)];

  test('describes every node in sentences', () => {
    expect(failing(all, ({description}) => /^\S.+\.$/.test(description))).toEqual([]);
  });

  test('bounds every text, list and map', () => {
    const texts = all.filter(({schema}) => schema.type === 'string' && schema.enum === undefined);
    expect(failing(texts, ({maxLength}) => maxLength !== undefined)).toEqual([]);
    const lists = all.filter(({schema}) => schema.type === 'array');
    expect(failing(lists, ({maxItems}) => maxItems !== undefined)).toEqual([]);
    const maps = all.filter(({schema}) => schema.additionalProperties !== undefined);
    expect(failing(maps, ({maxProperties}) => maxProperties !== undefined)).toEqual([]);
    const numbers = all.filter(({schema}) => schema.type === 'integer');
    expect(failing(numbers, ({minimum, maximum}) => minimum !== undefined && maximum !== undefined)).toEqual([]);
  });

  test('is structural: a type at every node, and none but quantities leave it open', () => {
    expect(
      failing(all, schema => (schema['x-kubernetes-int-or-string'] === true) !== (schema.type !== undefined)),
    ).toEqual([]);
    expect(JSON.stringify(customResourceDefinition(kind))).not.toMatch(/"(\$ref|const|oneOf|patternProperties)"/);
  });

  test('has keys that are required or defaulted in every list that is a map', () => {
    const keyed = all.filter(({schema}) => schema['x-kubernetes-list-map-keys'] !== undefined);
    expect(keyed.length).toBeGreaterThan(1);
    expect(failing(keyed, certain)).toEqual([]);
  });

  test('says in every rule what is wrong, on one line, and blames a field that exists', () => {
    const ruled = all.flatMap(({path, schema}) =>
      (schema['x-kubernetes-validations'] ?? []).map(rule => ({path, schema, rule})),
    );
    expect(ruled.length).toBeGreaterThan(5);
    for (const {path, schema, rule} of ruled) {
      expect(rule.message).toMatch(/^\S.{10,}\S$/);
      const steps = rule.fieldPath?.split('.').slice(1) ?? [];
      const blamed = steps.reduce<JsonSchema | undefined>((at, step) => at?.properties?.[step], schema);
      expect([path, blamed === undefined]).toEqual([path, false]);
    }
  });

  test('names each column of kubectl get once, by a path below metadata, spec or status', () => {
    const names = kind.columns.map(column => column.name);
    expect(new Set(names).size).toBe(names.length);
    for (const {jsonPath, description} of kind.columns) {
      expect(jsonPath).toMatch(/^\.(metadata|spec|status)\./);
      expect(description).toMatch(/\.$/);
    }
  });
});

test('the template of a machine holds its instance to the same schema, but may change', () => {
  const [machine, instance] = kinds;
  const template = machine.spec.json.properties!['template']!.properties!['spec']!;
  expect(template.properties).toEqual(instance.spec.json.properties);
  const immutable = expect.objectContaining({rule: 'self == oldSelf'});
  expect(instance.spec.json['x-kubernetes-validations']).toContainEqual(immutable);
  expect(template['x-kubernetes-validations']).not.toContainEqual(immutable);
});

test('labels that only the system sets are refused in a template by name', () => {
  const template = kinds[0].spec.json.properties!['template']!;
  const [rule] = template.properties!['metadata']!.properties!['labels']!['x-kubernetes-validations']!;
  for (const label of reservedLabels) {
    expect(rule!.rule).toContain(`'${label}'`);
    expect(rule!.message).toContain(label);
  }
});
