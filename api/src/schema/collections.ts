import {
  type AnySchema,
  type Infer,
  type InferInput,
  type JsonSchema,
  type Presence,
  type Rule,
  type Schema,
  required,
  validations,
} from './schema.ts';

/** Fields by name. The order is the order of the documentation. */
export type Fields = Readonly<Record<string, AnySchema>>;

type Present<F extends Fields, P extends Presence> = {
  [K in keyof F]: F[K]['presence'] extends P ? K : never;
}[keyof F];

type Simplify<T> = {[K in keyof T]: T[K]};

type Out<F extends Fields> = Simplify<
  {readonly [K in Present<F, 'required' | 'defaulted'>]: Infer<F[K]>} & {
    readonly [K in Present<F, 'optional'>]?: Infer<F[K]>;
  }
>;

type In<F extends Fields> = Simplify<
  {readonly [K in Present<F, 'required'>]: InferInput<F[K]>} & {
    readonly [K in Present<F, 'optional' | 'defaulted'>]?: InferInput<F[K]>;
  }
>;

interface ObjectOptions {
  readonly rules?: readonly Rule[];
}

/** An object with these fields and no others: the API server prunes what is not named. */
export const object = <F extends Fields>(
  description: string,
  fields: F,
  options: ObjectOptions = {},
): Schema<Out<F>, In<F>, 'required'> => {
  const entries = Object.entries(fields);
  const names = entries.filter(([, field]) => field.presence === 'required').map(([name]) => name);
  return required({
    description,
    type: 'object',
    ...(entries.length === 0 ? {} : {properties: Object.fromEntries(entries.map(([name, f]) => [name, f.json]))}),
    ...(names.length === 0 ? {} : {required: names}),
    ...validations(options.rules),
  });
};

/** An object whose presence alone says something, as `masquerade: {}`. */
export const marker = (
  description: string,
): Schema<Readonly<Record<string, never>>, Readonly<Record<string, never>>, 'required'> =>
  required({description, type: 'object'});

interface ListOptions {
  readonly maxItems: number;
  readonly minItems?: number;
  readonly rules?: readonly Rule[];
}

type ListOf<S extends AnySchema> = Schema<readonly Infer<S>[], readonly InferInput<S>[], 'required'>;

const array = <S extends AnySchema>(
  description: string,
  item: S,
  {rules, ...bounds}: ListOptions,
  kind: Partial<JsonSchema>,
): ListOf<S> => required({description, type: 'array', ...bounds, ...kind, items: item.json, ...validations(rules)});

/** A list that one writer owns as a whole. */
export const list = <S extends AnySchema>(description: string, item: S, options: ListOptions): ListOf<S> =>
  array(description, item, options, {'x-kubernetes-list-type': 'atomic'});

/** A list without duplicates; writers may own single elements. */
export const setOf = <S extends AnySchema>(description: string, item: S, options: ListOptions): ListOf<S> =>
  array(description, item, options, {'x-kubernetes-list-type': 'set'});

type KeyOf<S> = Extract<keyof Infer<S>, string>;

/** A list of objects that are told apart by these fields: duplicates are refused, writers may own single elements. */
export const listMap = <S extends AnySchema>(
  description: string,
  item: S,
  options: ListOptions & {readonly keys: readonly [KeyOf<S>, ...KeyOf<S>[]]},
): ListOf<S> => {
  const {keys, ...rest} = options;
  return array(description, item, rest, {'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys});
};

interface MapOptions {
  readonly maxProperties: number;
  readonly rules?: readonly Rule[];
}

/** Values by free key. */
export const map = <S extends AnySchema>(
  description: string,
  value: S,
  {maxProperties, rules}: MapOptions,
): Schema<Readonly<Record<string, Infer<S>>>, Readonly<Record<string, InferInput<S>>>, 'required'> =>
  required({
    description,
    type: 'object',
    maxProperties,
    additionalProperties: value.json,
    ...validations(rules),
  });
