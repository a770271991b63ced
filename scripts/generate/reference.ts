import {covered, type JsonSchema, kinds, type Rule, supportIn} from '@wherry/api';
import {coveragePage} from './coverage.ts';
import {enginesPage} from './engines-page.ts';
import {processorsPage} from './processors.ts';
import {type Generator, MARKER} from './generator.ts';
import {statusPage} from './status-page.ts';
import {valuesPage} from './values.ts';

type AnyKind = (typeof kinds)[number];

interface Field {
  readonly path: string;
  readonly required: boolean;
  readonly schema: JsonSchema;
}

/** Where a part of one kind is documented with another, the path of that part and the document. */
const documentedElsewhere: Readonly<Record<string, string>> = {
  'spec.template.spec': 'the same as `spec` of [VirtualMachineInstance](virtualmachineinstances.md)',
};

const below = (path: string, schema: JsonSchema): readonly Field[] => {
  if (schema.items !== undefined) {
    return below(`${path}[]`, schema.items);
  }
  if (schema.additionalProperties !== undefined) {
    return below(`${path}{}`, schema.additionalProperties);
  }
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
    fieldsOf(`${path}.${name}`, child, schema.required?.includes(name) ?? false),
  );
};

/** The field itself and all below it, in the order of the schema. */
const fieldsOf = (path: string, schema: JsonSchema, required: boolean): readonly Field[] => [
  {path, schema, required},
  ...(path in documentedElsewhere ? [] : below(path, schema)),
];

const typeOf = (schema: JsonSchema): string => {
  if (schema['x-kubernetes-int-or-string'] === true) {
    return 'quantity';
  }
  if (schema.items !== undefined) {
    const keys = schema['x-kubernetes-list-map-keys'];
    return `list of ${typeOf(schema.items)}${keys === undefined ? '' : ` by ${keys.join(', ')}`}`;
  }
  if (schema.additionalProperties !== undefined) {
    return `map of ${typeOf(schema.additionalProperties)}`;
  }
  return schema.format === 'date-time' ? 'time' : (schema.type ?? 'any');
};

const range = (low: number | undefined, high: number | undefined, unit: string): readonly string[] =>
  low === undefined && high === undefined
    ? []
    : [`${low ?? 0}–${high === undefined ? '' : String(high)}${unit === '' ? '' : ` ${unit}`}`];

const boundsOf = (schema: JsonSchema): string => {
  // The bound of a quantity's text says nothing about its value.
  const text = schema['x-kubernetes-int-or-string'] === true || schema.format === 'date-time';
  const high = schema.maximum === Number.MAX_SAFE_INTEGER ? undefined : schema.maximum;
  return [
    ...(schema.enum === undefined ? [] : [schema.enum.map(word => `\`${word}\``).join(' ')]),
    ...range(schema.minimum, high, ''),
    ...(text ? [] : range(schema.minLength, schema.maxLength, 'characters')),
    ...range(schema.minItems, schema.maxItems, 'items'),
    ...range(undefined, schema.maxProperties, 'entries'),
  ].join(', ');
};

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const row = ({path, schema, required}: Field): string => {
  const value = schema.default === undefined ? (required ? 'required' : '') : `\`${JSON.stringify(schema.default)}\``;
  const elsewhere = documentedElsewhere[path];
  const description = elsewhere === undefined ? schema.description : `${schema.description} ${elsewhere}.`;
  return `| \`${path}\` | ${typeOf(schema)} | ${value} | ${cell(boundsOf(schema))} | ${cell(description)} |`;
};

const table = (fields: readonly Field[]): string =>
  ['| field | type | default | bounds | description |', '| --- | --- | --- | --- | --- |', ...fields.map(row)].join(
    '\n',
  );

const ruleLine = (path: string, {message, fieldPath}: Rule): string => `- \`${path}${fieldPath ?? ''}\`: ${message}`;

const ruleList = (fields: readonly Field[]): string =>
  fields
    .filter(({path}) => !(path in documentedElsewhere))
    .flatMap(({path, schema}) => nodesOf(path, schema))
    .flatMap(({path, schema}) => (schema['x-kubernetes-validations'] ?? []).map(rule => ruleLine(path, rule)))
    .join('\n');

/** A field's node and, for lists and maps, that of its elements. */
const nodesOf = (path: string, schema: JsonSchema): readonly {path: string; schema: JsonSchema}[] => [
  {path, schema},
  ...(schema.items === undefined ? [] : nodesOf(`${path}[]`, schema.items)),
  ...(schema.additionalProperties === undefined ? [] : nodesOf(`${path}{}`, schema.additionalProperties)),
];

/** The fields of the spec but for those that are refused, which have a page of their own. */
const supported = (kind: AnyKind): readonly Field[] => {
  const supportOf = supportIn(covered.find(one => one.kind === kind.kind)!);
  return fieldsOf('spec', kind.spec.json, true).filter(field => supportOf(notation(field)) === 'implemented');
};

/** The path as coverage writes it: with the sign of a list or map behind its name. */
const notation = ({path, schema}: Field): string =>
  `${path}${schema.items === undefined ? '' : '[]'}${schema.additionalProperties === undefined ? '' : '{}'}`;

const page = (kind: AnyKind): string => {
  const spec = supported(kind);
  const status = fieldsOf('status', kind.status.json, false);
  return `<!-- ${MARKER} -->

# ${kind.kind}

${kind.description}

\`apiVersion: ${kind.group}/${kind.version}\`, \`kind: ${kind.kind}\`. With kubectl: ${[kind.plural, ...kind.shortNames].map(name => `\`${name}\``).join(', ')}.

\`[]\` stands for an element of a list, \`{}\` for a value of a map. Fields of KubeVirt that are refused are listed with [the coverage](coverage.md).

## spec

${table(spec)}

## Rules

What the API server refuses beside the bounds above, with these words:

${ruleList([...spec, ...status])}

## status

Written by the system; a client that writes an object cannot set it.

${table(status)}
`;
};

const index = (): string => `<!-- ${MARKER} -->

# Reference

${kinds.map(kind => `- [${kind.kind}](${kind.plural}.md): ${kind.description}`).join('\n')}
- [Processors](cpus.md): models and features that \`domain.cpu\` may name.
- [Engines](engines.md): which machines the native engine can run.
- [Status](status.md): statuses, conditions with their reasons, and events.
- [Coverage](coverage.md): what becomes of each field of KubeVirt.
- [Examples](examples.md): what becomes of each of KubeVirt's example manifests.
- [Values of the chart](values.md): what can be set when Wherry is installed or upgraded.
- [virtctl](virtctl.md): what KubeVirt's own tool does here.
- [Benchmarks](benchmarks.md): figures beside their goals, as npm run bench measures them.
`;

const produce = async (): Promise<ReadonlyMap<string, string>> =>
  new Map([
    ['docs/reference/README.md', index()],
    ['docs/reference/coverage.md', await coveragePage()],
    ['docs/reference/cpus.md', processorsPage()],
    ['docs/reference/engines.md', enginesPage()],
    ['docs/reference/status.md', statusPage()],
    ['docs/reference/values.md', valuesPage()],
    ...kinds.map(kind => [`docs/reference/${kind.plural}.md`, page(kind)] as [string, string]),
  ]);

/** One page per kind: every field with its type, default, bounds and meaning, and every rule. */
export const reference: Generator = {name: 'reference documentation', folders: ['docs/reference'], produce};
