import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, test} from '@jest/globals';
import {covered, supportIn} from './coverage.ts';

const fieldsOf = async (kind: string): Promise<readonly string[]> => {
  const text = await readFile(join(import.meta.dirname, '../../kubevirt-fields', `${kind}.txt`), 'utf8');
  return text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
};

describe.each(covered.map(one => [one.kind, one] as const))('%s', (kind, one) => {
  const supportOf = supportIn(one);

  test('implements or refuses every field of KubeVirt: none is missing', async () => {
    const fields = await fieldsOf(kind);
    expect(fields.length).toBeGreaterThan(80);
    expect(fields.filter(path => supportOf(path) === 'missing')).toEqual([]);
  });

  test('refuses no field that KubeVirt does not have', async () => {
    const fields = new Set(await fieldsOf(kind));
    const refused = Object.entries(one.refusals)
      .filter(([path]) => !path.startsWith('template.spec.'))
      .map(([path, {type}]) => `spec.${path}${type === 'list' ? '[]' : ''}`);
    expect(refused.filter(path => !fields.has(path))).toEqual([]);
  });
});

const small = supportIn({
  kind: 'Small',
  spec: {
    description: 'A spec.',
    type: 'object',
    properties: {
      name: {description: 'A name.', type: 'string'},
      clock: {
        description: 'Holds nothing that is supported.',
        type: 'object',
        properties: {utc: {description: 'Not supported.', type: 'object'}},
      },
      gpus: {description: 'Not supported.', type: 'array', items: {description: 'One.', type: 'object'}},
      labels: {description: 'Labels.', type: 'object', additionalProperties: {description: 'One.', type: 'string'}},
    },
  },
  refusals: {'clock.utc': {type: 'object', instead: 'x'}, gpus: {type: 'list', instead: 'x'}},
});

test('a field that the schema has is implemented, with the sign of a map behind its name', () => {
  expect(['spec', 'spec.name', 'spec.labels{}'].map(small)).toEqual(['implemented', 'implemented', 'implemented']);
});

test('what lies below a refusal is refused with it', () => {
  expect(['spec.gpus[]', 'spec.gpus[].name.deep', 'spec.clock.utc.offset'].map(small)).toEqual([
    'refused',
    'refused',
    'refused',
  ]);
});

test('an object that holds nothing but refusals is refused', () => {
  expect(small('spec.clock')).toBe('refused');
});

test('what no schema names is missing, also below what is implemented', () => {
  expect(['spec.other', 'spec.name.deep', 'spec.other.deep', 'status.phase'].map(small)).toEqual([
    'missing',
    'missing',
    'missing',
    'missing',
  ]);
});
