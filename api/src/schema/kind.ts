import type {Infer, InferInput, JsonSchema, Rule, Schema} from './schema.ts';

/** A column of `kubectl get`. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly description: string;
  readonly jsonPath: string;
  /** Shown only with `-o wide`. */
  readonly wide?: boolean;
}

/** A namespaced kind with a status subresource. */
export interface Kind<Spec extends Schema<unknown>, Status extends Schema<unknown>> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly description: string;
  readonly columns: readonly Column[];
  /** Paths that field selectors may name, as `.status.nodeName`. */
  readonly selectable?: readonly string[];
  /** Rules of the whole object. */
  readonly rules?: readonly Rule[];
  readonly spec: Spec;
  readonly status: Status;
}

/** The part of an object's metadata that Wherry reads or writes. Timestamps are RFC 3339 strings. */
export interface ObjectMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

type AnyKind = Kind<Schema<unknown>, Schema<unknown>>;

/** An object of the kind as the API server returns it. */
export interface Stored<Name extends string, K extends AnyKind> {
  readonly apiVersion: 'kubevirt.io/v1';
  readonly kind: Name;
  readonly metadata: ObjectMeta;
  readonly spec: Infer<K['spec']>;
  readonly status?: Infer<K['status']>;
}

/** An object of the kind as a client may send it. */
export interface Written<Name extends string, K extends AnyKind> {
  readonly apiVersion: 'kubevirt.io/v1';
  readonly kind: Name;
  readonly metadata: ObjectMeta;
  readonly spec: InferInput<K['spec']>;
  readonly status?: InferInput<K['status']>;
}

const rootSchema = (kind: AnyKind): object => ({
  description: kind.description,
  type: 'object',
  properties: {
    apiVersion: {
      description: 'Version of the schema of this object.',
      type: 'string',
    },
    kind: {
      description: 'Kind of this object.',
      type: 'string',
    },
    metadata: {type: 'object'},
    spec: kind.spec.json,
    status: kind.status.json,
  } satisfies Record<string, JsonSchema | {type: 'object'}>,
  required: ['spec'],
  ...(kind.rules === undefined ? {} : {'x-kubernetes-validations': kind.rules}),
});

/** The CustomResourceDefinition of a kind: one version, served and stored. Its label tells it from KubeVirt's own. */
export const customResourceDefinition = (kind: AnyKind): object => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {name: `${kind.plural}.${kind.group}`, labels: {'app.kubernetes.io/part-of': 'wherry'}},
  spec: {
    group: kind.group,
    scope: 'Namespaced',
    names: {
      kind: kind.kind,
      listKind: `${kind.kind}List`,
      plural: kind.plural,
      singular: kind.singular,
      shortNames: kind.shortNames,
      categories: kind.categories,
    },
    versions: [
      {
        name: kind.version,
        served: true,
        storage: true,
        subresources: {status: {}},
        additionalPrinterColumns: kind.columns.map(({wide, ...column}) => ({
          ...column,
          ...(wide === true ? {priority: 1} : {}),
        })),
        ...(kind.selectable === undefined ? {} : {selectableFields: kind.selectable.map(jsonPath => ({jsonPath}))}),
        schema: {openAPIV3Schema: rootSchema(kind)},
      },
    ],
  },
});
