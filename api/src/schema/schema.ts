/**
 * Structural schemas as values. One value gives the OpenAPI v3 node that a CustomResourceDefinition carries and, by
 * inference, the TypeScript types of what the API server stores. Structural means: a type at every node, no `$ref`,
 * no `const`, nothing but validations inside `allOf`/`anyOf`.
 */

/** A CEL rule, evaluated by the API server at the node that carries it. */
export interface Rule {
  readonly rule: string;
  /** What is wrong and what to do instead. */
  readonly message: string;
  /** Path of the offending field below this node, as `.name`. */
  readonly fieldPath?: string;
  /** Defaults to FieldValueInvalid. */
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired';
}

/** One node of a structural schema, as it is emitted. */
export interface JsonSchema {
  readonly description: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly format?: string;
  readonly nullable?: true;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema;
  readonly required?: readonly string[];
  readonly anyOf?: readonly {readonly type: 'integer' | 'string'}[];
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
  readonly 'x-kubernetes-validations'?: readonly Rule[];
}

/**
 * Whether a field of an object must be given. A `defaulted` field may be left out by who writes it and is always there
 * for who reads it.
 */
export type Presence = 'required' | 'optional' | 'defaulted';

/** A schema node with its types: `Out` is what a reader finds, `In` what a writer may send. */
export interface Schema<Out, In = Out, P extends Presence = Presence> {
  readonly json: JsonSchema;
  readonly presence: P;
  /** For inference alone; never set. */
  readonly '~types'?: {readonly out: Out; readonly in: In};
}

export type AnySchema = Schema<unknown, unknown>;

/** The type that a reader of stored objects sees: defaults are filled in. */
export type Infer<S> = S extends Schema<infer Out, infer _In, infer _P> ? Out : never;

/** The type that a writer may send: fields with a default may be left out. */
export type InferInput<S> = S extends Schema<infer _Out, infer In, infer _P> ? In : never;

/** The field may be left out. */
export const optional = <Out, In>(schema: Schema<Out, In, 'required'>): Schema<Out, In, 'optional'> => ({
  json: schema.json,
  presence: 'optional',
});

/** The API server fills in `value` where the field is left out. Constants only: what is derived belongs in no schema. */
export const defaulted = <Out, In>(
  schema: Schema<Out, In, 'required'>,
  value: NoInfer<In>,
): Schema<Out, In, 'defaulted'> => ({json: {...schema.json, default: value}, presence: 'defaulted'});

/** The rules as the schema carries them: nothing where there are none. */
export const validations = (rules: readonly Rule[] | undefined): Pick<JsonSchema, 'x-kubernetes-validations'> =>
  rules === undefined || rules.length === 0 ? {} : {'x-kubernetes-validations': rules};

/** The field may be null, and a null is kept. Without this a null is refused. */
export const nullable = <Out, In>(schema: Schema<Out, In, 'required'>): Schema<Out | null, In | null, 'required'> => ({
  json: {...schema.json, nullable: true},
  presence: 'required',
});

/** The same node with more rules: one schema may stand in kinds that hold it to different things. */
export const withRules = <Out, In, P extends Presence>(
  schema: Schema<Out, In, P>,
  rules: readonly Rule[],
): Schema<Out, In, P> => ({
  ...schema,
  json: {...schema.json, ...validations([...(schema.json['x-kubernetes-validations'] ?? []), ...rules])},
});

/** A required node: what every constructor of this folder returns. */
export const required = <Out, In = Out>(json: JsonSchema): Schema<Out, In, 'required'> => ({
  json,
  presence: 'required',
});
