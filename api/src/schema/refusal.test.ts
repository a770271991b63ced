import {expect, test} from '@jest/globals';
import {list, object} from './collections.ts';
import {type Refusal, refusalMessage, refusalsIn, withRefusals} from './refusal.ts';
import {string} from './scalars.ts';
import {optional} from './schema.ts';

const spec = object('A spec.', {
  name: optional(string('A name.', {maxLength: 8})),
  disks: optional(list('Disks.', object('A disk.', {}), {maxItems: 4})),
});

const of = (type: Refusal['type'], extra: object = {}): Refusal => ({type, instead: 'leave it out', ...extra});

const rule = (path: string, refusal: Refusal): unknown =>
  withRefusals(spec, {[path]: refusal}).json.properties![path]!['x-kubernetes-validations']![0]!.rule;

test('a refusal is a node that takes any body and a rule that names the field and the remedy', () => {
  expect(withRefusals(spec, {rng: of('object')}).json.properties!['rng']).toEqual({
    description: 'Not supported: leave it out.',
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
    'x-kubernetes-validations': [
      {
        rule: 'size(dyn(self)) == 0',
        message: 'rng is not supported: leave it out',
        reason: 'FieldValueForbidden',
      },
    ],
  });
});

test('the fields that are implemented stay as they are, and what carries the refusals is another schema', () => {
  const before = structuredClone(spec.json);
  const {json} = withRefusals(spec, {'disks[].lun': of('marker'), subdomain: of('string')});
  expect(spec.json).toEqual(before);
  expect(json.properties!['name']).toBe(spec.json.properties!['name']);
  expect(Object.keys(json.properties!)).toEqual(['name', 'disks', 'subdomain']);
});

test('a refusal inside a list stands at its elements, and its message has the path with brackets', () => {
  const {json} = withRefusals(spec, {'disks[].lun': of('marker')});
  const node = json.properties!['disks']!.items!.properties!['lun']!;
  expect(node['x-kubernetes-validations']![0]!.message).toBe('disks[].lun is not supported: leave it out');
});

test('objects are made on the way to a refusal, one for all that it holds', () => {
  const {json} = withRefusals(spec, {'clock.utc': of('integer'), 'clock.timezone': of('string')});
  expect(Object.keys(json.properties!['clock']!.properties!)).toEqual(['utc', 'timezone']);
  expect(json.properties!['clock']!.required).toBeUndefined();
});

test('a field cannot be implemented and refused, nor refused in elements of what is no list', () => {
  const misplaced = expect.objectContaining({code: 'REFUSAL_MISPLACED'});
  expect(() => withRefusals(spec, {name: of('string')})).toThrow(misplaced);
  expect(() => withRefusals(spec, {'name[].part': of('string')})).toThrow(misplaced);
  expect(() => withRefusals(spec, {'other[].part': of('string')})).toThrow(/the refusal of other\[\]\.part/);
});

test.each([
  ['object', {}, 'size(dyn(self)) == 0'],
  ['marker', {}, 'false'],
  ['list', {}, 'size(self) == 0'],
  ['string', {}, "self == ''"],
  ['string', {pass: ['amd64']}, "self in ['', 'amd64']"],
  ['boolean', {}, '!self'],
  ['boolean', {pass: true}, 'self'],
  ['integer', {}, 'self == 0'],
  ['quantity', {}, "string(self) in ['', '0']"],
] as const)('the rule of %s %j is %s', (type, extra, expected) => {
  expect(rule('field', of(type, extra))).toBe(expected);
});

test.each<[Refusal['type'], object, readonly unknown[], readonly unknown[]]>([
  ['object', {}, [{}, null], [{a: 1}]],
  ['marker', {}, [null], [{}, {a: 1}]],
  ['list', {}, [[], null], [[{}]]],
  ['string', {}, ['', null], ['x']],
  ['string', {pass: ['amd64']}, ['', 'amd64', null], ['arm64']],
  ['boolean', {}, [false, null], [true]],
  ['boolean', {pass: true}, [true, null], [false]],
  ['integer', {}, [0, null], [1, -1]],
  ['quantity', {}, [0, '0', '', null], [1, '1Gi']],
])('of %s %j, %j asks for nothing and %j for something', (type, extra, passing, refused) => {
  const table = {field: of(type, extra)};
  for (const value of passing) {
    expect([value, refusalsIn({field: value}, table)]).toEqual([value, []]);
  }
  for (const value of refused) {
    expect([value, refusalsIn({field: value}, table)]).toEqual([value, ['field is not supported: leave it out']]);
  }
});

test('a field that several elements have is named once, and one element is enough', () => {
  const table = {'disks[].tag': of('string')};
  const message = refusalMessage('disks[].tag', of('string'));
  expect(refusalsIn({disks: [{tag: ''}, {}, {tag: 'a'}, {tag: 'b'}]}, table)).toEqual([message]);
  expect(refusalsIn({disks: [{tag: ''}, {}]}, table)).toEqual([]);
});

test('what is absent on the way asks for nothing', () => {
  const table = {'a.b.c': of('string'), 'd[].e': of('marker')};
  for (const value of [{}, {a: null}, {a: {}}, {a: {b: null}}, {d: null}, {d: []}, {d: [{}]}]) {
    expect(refusalsIn(value, table)).toEqual([]);
  }
});
