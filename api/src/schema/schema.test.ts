import {expect, test} from '@jest/globals';
import {
  boolean,
  defaulted,
  dnsLabel,
  enumeration,
  type Infer,
  type InferInput,
  integer,
  list,
  listMap,
  map,
  marker,
  nullable,
  object,
  optional,
  quantity,
  setOf,
  string,
  timestamp,
  withRules,
} from './index.ts';

const port = object('A port.', {
  name: optional(dnsLabel('Name.')),
  protocol: defaulted(enumeration('Protocol.', ['TCP', 'UDP']), 'TCP'),
  port: integer('Number.', {minimum: 1, maximum: 65_535}),
});

const never = {rule: 'false', message: 'never'};

test('an object requires what is neither optional nor defaulted, and prunes the rest', () => {
  expect(port.json).toEqual({
    description: 'A port.',
    type: 'object',
    required: ['port'],
    properties: {
      name: {
        description: 'Name.',
        type: 'string',
        minLength: 1,
        maxLength: 63,
        pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
      },
      protocol: {description: 'Protocol.', type: 'string', enum: ['TCP', 'UDP'], default: 'TCP'},
      port: {description: 'Number.', type: 'integer', format: 'int32', minimum: 1, maximum: 65_535},
    },
  });
});

test('a reader finds defaults filled in, a writer may leave them out', () => {
  const read: Infer<typeof port> = {protocol: 'UDP', port: 53};
  const written: InferInput<typeof port> = {port: 53};
  // @ts-expect-error a reader always finds the protocol
  const incomplete: Infer<typeof port> = {port: 53};
  // @ts-expect-error only the words of the enumeration
  const wrong: Infer<typeof port> = {protocol: 'SCTP', port: 53};
  // @ts-expect-error no other fields
  const more: Infer<typeof port> = {protocol: 'TCP', port: 53, host: 'a'};
  // @ts-expect-error an optional field is left out, never undefined
  const undefinedName: Infer<typeof port> = {protocol: 'TCP', port: 53, name: undefined};
  expect([read, written, incomplete, wrong, more, undefinedName]).toHaveLength(6);
});

test('what is inferred cannot be written to', () => {
  const ports = list('Ports.', port, {maxItems: 2});
  const read: Infer<typeof ports> = [{protocol: 'TCP', port: 80}];
  // @ts-expect-error elements are read only
  const change = (): number => (read[0]!.port = 81);
  // @ts-expect-error lists are read only
  const grow = (): number => read.push({protocol: 'TCP', port: 82});
  expect([change, grow]).toHaveLength(2);
});

test('a default has the type of its field', () => {
  // @ts-expect-error the default is none of the words
  expect(defaulted(enumeration('Protocol.', ['TCP', 'UDP']), 'SCTP').json.default).toBe('SCTP');
});

test('lists say who owns their elements', () => {
  const bounds = {maxItems: 4, minItems: 1};
  const common = {description: 'Ports.', type: 'array', maxItems: 4, minItems: 1, items: port.json};
  expect(list('Ports.', port, bounds).json).toEqual({...common, 'x-kubernetes-list-type': 'atomic'});
  expect(setOf('Ports.', port, bounds).json).toEqual({...common, 'x-kubernetes-list-type': 'set'});
  expect(listMap('Ports.', port, {...bounds, keys: ['port', 'protocol']}).json).toEqual({
    ...common,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['port', 'protocol'],
  });
  // @ts-expect-error a key is a field of the element
  expect(listMap('Ports.', port, {...bounds, keys: ['number']}).json.items).toBe(port.json);
});

test('a map holds values by free keys', () => {
  const amounts = map('Amounts.', quantity('An amount.'), {maxProperties: 3});
  const read: Infer<typeof amounts> = {cpu: '500m', memory: 1024};
  expect(amounts.json).toEqual({
    description: 'Amounts.',
    type: 'object',
    maxProperties: 3,
    additionalProperties: quantity('An amount.').json,
  });
  expect(read['cpu']).toBe('500m');
});

test('a marker has no fields', () => {
  const read: Infer<ReturnType<typeof marker>> = {};
  // @ts-expect-error nothing can be given inside
  const full: Infer<ReturnType<typeof marker>> = {a: 1};
  expect(marker('The network of the pod.').json).toEqual({description: 'The network of the pod.', type: 'object'});
  expect([read, full]).toHaveLength(2);
});

test('a quantity may be a number or a text, and is never negative', () => {
  const {pattern, ...rest} = quantity('Memory.').json;
  expect(rest).toEqual({
    description: 'Memory.',
    'x-kubernetes-int-or-string': true,
    anyOf: [{type: 'integer'}, {type: 'string'}],
    maxLength: 64,
  });
  const form = new RegExp(pattern ?? '');
  for (const good of ['1', '+1', '1.5', '.5', '512Mi', '2G', '100m', '1e3', '1E-3', '5n', '7Ei']) {
    expect(good).toMatch(form);
  }
  for (const bad of ['', '-1', 'Mi', '1 Gi', '1GB', '1mi', '1K', '1e', '0x10']) {
    expect(bad).not.toMatch(form);
  }
});

test('a field that may be null says so in its type', () => {
  const time = object('O.', {at: optional(nullable(timestamp('When.')))});
  const read: Infer<typeof time>[] = [{}, {at: null}, {at: '2026-11-24T10:00:00Z'}];
  // @ts-expect-error without nullable there is no null
  const wrong: Infer<typeof port> = {protocol: 'TCP', port: null};
  expect(time.json.properties!['at']).toMatchObject({nullable: true});
  expect([...read, wrong]).toHaveLength(4);
});

test('integers say how wide they are', () => {
  expect(integer('Small.', {minimum: 0, maximum: 2_147_483_647}).json.format).toBe('int32');
  expect(integer('Large.', {minimum: 0, maximum: 2_147_483_648}).json.format).toBe('int64');
});

test('times are RFC 3339', () => {
  expect(timestamp('When.').json).toMatchObject({type: 'string', format: 'date-time'});
});

test('rules stand at their node, and more can be added without touching the original', () => {
  const flag = boolean('Flag.', {rules: [never]});
  const stricter = withRules(flag, [{rule: 'self', message: 'must be true'}]);
  expect(flag.json['x-kubernetes-validations']).toEqual([never]);
  expect(stricter.json['x-kubernetes-validations']).toEqual([never, {rule: 'self', message: 'must be true'}]);
  for (const node of [
    string('S.', {maxLength: 1, rules: [never]}),
    integer('I.', {minimum: 0, maximum: 1, rules: [never]}),
    enumeration('E.', ['a'], {rules: [never]}),
    quantity('Q.', {rules: [never]}),
    object('O.', {}, {rules: [never]}),
    list('L.', flag, {maxItems: 1, rules: [never]}),
    map('M.', flag, {maxProperties: 1, rules: [never]}),
  ]) {
    expect(node.json['x-kubernetes-validations']).toEqual([never]);
    expect(node.json).not.toHaveProperty('rules');
  }
});

test('a node without rules carries none', () => {
  expect(string('S.', {maxLength: 1, rules: []}).json).not.toHaveProperty('x-kubernetes-validations');
  expect(withRules(marker('M.'), []).json).not.toHaveProperty('x-kubernetes-validations');
});
