import {expect, test} from '@jest/globals';
import {type SchemaEntity, typesOf} from './qmp-schema.ts';

const schema: readonly SchemaEntity[] = [
  {name: 'str', 'meta-type': 'builtin', 'json-type': 'string'},
  {name: 'int', 'meta-type': 'builtin', 'json-type': 'int'},
  {name: '0', 'meta-type': 'object', members: []},
  {name: '1', 'meta-type': 'enum', values: ['running', 'io-error']},
  {
    name: '2',
    'meta-type': 'object',
    members: [
      {name: 'state', type: '1'},
      {name: 'read-bytes', type: 'int'},
      {name: 'backing', type: '2', default: null},
    ],
  },
  {name: '[2]', 'meta-type': 'array', 'element-type': '2'},
  {
    name: '3',
    'meta-type': 'object',
    members: [{name: 'kind', type: '1'}],
    tag: 'kind',
    variants: [{case: 'running', type: '2'}],
  },
  {name: 'query', 'meta-type': 'command', 'arg-type': '0', 'ret-type': '[2]'},
  {name: 'set', 'meta-type': 'command', 'arg-type': '3', 'ret-type': '0'},
  {name: 'STOP', 'meta-type': 'event', 'arg-type': '0'},
];

test('a command without arguments says so, and lists are read-only', () => {
  expect(typesOf(schema, ['query'], [])).toContain('query: {arguments: undefined; returns: readonly Type2[]};');
});

test('optional members, enums, names that need quotes and types that contain themselves are kept', () => {
  expect(typesOf(schema, ['query'], [])).toContain(
    "type Type2 = {backing?: Type2; 'read-bytes': number; state: 'running' | 'io-error'};",
  );
});

test('a union is told apart by its tag', () => {
  expect(typesOf(schema, ['set'], [])).toContain("type Type3 = {} & (({kind: 'running'} & Type2));");
});

test('events without data are empty objects', () => {
  expect(typesOf(schema, [], ['STOP'])).toContain('STOP: Record<never, never>;');
});

test('a command that this QEMU lacks stops the generator', () => {
  expect(() => typesOf(schema, ['query-kvm'], [])).toThrow(/no query-kvm/);
});
