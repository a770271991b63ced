/**
 * Fields that are known and not supported. Each is a node of the schema, so that no client can lose it silently: the
 * API server keeps what is written there, whatever its shape, and then refuses it by name.
 */
import {refusalMisplaced} from '../errors.ts';
import {type JsonSchema, type Presence, type Schema, validations} from './schema.ts';

interface Remedy {
  /** What to use instead: the end of the message, without a full stop. */
  readonly instead: string;
}

/** A field that is refused. Null and, by type, empty values pass: they ask for nothing. */
export type Refusal =
  /** An object: passes where it is empty. */
  | ({readonly type: 'object'} & Remedy)
  /** An object whose presence alone asks for something, as `bridge: {}`: never passes. */
  | ({readonly type: 'marker'} & Remedy)
  /** A list of objects: passes where it is empty. */
  | ({readonly type: 'list'} & Remedy)
  /** A text: passes where it is empty, or says what is so anyway. */
  | ({readonly type: 'string'; readonly pass?: readonly string[]} & Remedy)
  /** Passes where it says what is so anyway: false, unless `pass` says otherwise. */
  | ({readonly type: 'boolean'; readonly pass?: boolean} & Remedy)
  /** A whole number: passes where it is 0. */
  | ({readonly type: 'integer'} & Remedy)
  /** An amount: passes where it is 0 or empty. */
  | ({readonly type: 'quantity'} & Remedy);

/** By path below the spec, `[]` behind the name of a list on the way: `domain.devices.disks[].serial`. */
export type Refusals = Readonly<Record<string, Refusal>>;

/** What is without a meaning in a text or an amount. */
const passing = (refusal: Refusal): readonly string[] => {
  if (refusal.type === 'string') {
    return ['', ...(refusal.pass ?? [])];
  }
  return refusal.type === 'quantity' ? ['', '0'] : [];
};

/** The same decision as `meaningless`, in CEL. An object without fields has no size but for `dyn`. */
const ruleOf = (refusal: Refusal): string => {
  const words = passing(refusal).map(word => `'${word}'`);
  switch (refusal.type) {
    case 'object':
      return 'size(dyn(self)) == 0';
    case 'marker':
      return 'false';
    case 'list':
      return 'size(self) == 0';
    case 'string':
      return words.length === 1 ? "self == ''" : `self in [${words.join(', ')}]`;
    case 'boolean':
      return refusal.pass === true ? 'self' : '!self';
    case 'integer':
      return 'self == 0';
    case 'quantity':
      return `string(self) in [${words.join(', ')}]`;
  }
};

const meaningless = (refusal: Refusal, value: unknown): boolean => {
  switch (refusal.type) {
    case 'object':
    case 'list':
      return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    case 'marker':
      return false;
    case 'string':
    case 'quantity':
      return passing(refusal).includes(String(value));
    case 'boolean':
      return value === (refusal.pass === true);
    case 'integer':
      return value === 0;
  }
};

const opaque: Partial<JsonSchema> = {type: 'object', 'x-kubernetes-preserve-unknown-fields': true};

/** Bounds are far above what is sensible: it is the rule that refuses. */
const bodies: Readonly<Record<Refusal['type'], Partial<JsonSchema>>> = {
  object: opaque,
  marker: opaque,
  list: {
    type: 'array',
    maxItems: 1024,
    'x-kubernetes-list-type': 'atomic',
    items: {description: 'Not supported.', ...opaque},
  },
  string: {type: 'string', maxLength: 4096},
  boolean: {type: 'boolean'},
  integer: {type: 'integer', format: 'int64', minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER},
  quantity: {anyOf: [{type: 'integer'}, {type: 'string'}], 'x-kubernetes-int-or-string': true, maxLength: 64},
};

/** What a user reads where the field is refused. */
export const refusalMessage = (path: string, refusal: Refusal): string =>
  `${path} is not supported: ${refusal.instead}`;

const nodeOf = (path: string, refusal: Refusal): JsonSchema => ({
  description: `Not supported: ${refusal.instead}.`,
  ...bodies[refusal.type],
  ...validations([{rule: ruleOf(refusal), message: refusalMessage(path, refusal), reason: 'FieldValueForbidden'}]),
});

const container: JsonSchema = {description: 'Holds nothing that is supported.', type: 'object'};

interface Step {
  readonly name: string;
  readonly isList: boolean;
}

const stepsOf = (path: string): readonly Step[] =>
  path.split('.').map(step => ({name: step.replace('[]', ''), isList: step.endsWith('[]')}));

/** The schema with the node at the end of the steps; objects on the way are made where there are none. */
const insert = (at: JsonSchema, path: string, [step, ...rest]: readonly Step[], node: JsonSchema): JsonSchema => {
  const child = at.properties?.[step!.name];
  const put = (value: JsonSchema): JsonSchema => ({...at, properties: {...at.properties, [step!.name]: value}});
  if (rest.length === 0) {
    if (child !== undefined) {
      throw refusalMisplaced(path, 'the field is implemented');
    }
    return put(node);
  }
  if (!step!.isList) {
    return put(insert(child ?? container, path, rest, node));
  }
  if (child?.items === undefined) {
    throw refusalMisplaced(path, `${step!.name} is no list`);
  }
  return put({...child, items: insert(child.items, path, rest, node)});
};

/**
 * The schema with a node for each refusal. The types stay: code never reads what is refused.
 *
 * @throws ContractError REFUSAL_MISPLACED where a field is both implemented and refused
 */
export const withRefusals = <Out, In, P extends Presence>(
  schema: Schema<Out, In, P>,
  refusals: Refusals,
): Schema<Out, In, P> => ({
  ...schema,
  json: Object.entries(refusals).reduce<JsonSchema>(
    (json, [path, refusal]) => insert(json, path, stepsOf(path), nodeOf(path, refusal)),
    schema.json,
  ),
});

/** Every value at the path: one for each element of a list on the way. */
const valuesAt = (value: unknown, [step, ...rest]: readonly Step[]): readonly unknown[] => {
  if (value === undefined || value === null || step === undefined) {
    return value === undefined || value === null ? [] : [value];
  }
  const child = (value as Record<string, unknown>)[step.name];
  const children = step.isList && Array.isArray(child) ? (child as unknown[]) : [child];
  return children.flatMap(one => valuesAt(one, rest));
};

/** Messages of the refusals that the value does not respect, in the order of the table. */
export const refusalsIn = (value: unknown, refusals: Refusals): string[] =>
  Object.entries(refusals)
    .filter(([path, refusal]) => valuesAt(value, stepsOf(path)).some(one => !meaningless(refusal, one)))
    .map(([path, refusal]) => refusalMessage(path, refusal));
