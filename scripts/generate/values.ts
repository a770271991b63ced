import {type Generator, MARKER} from './generator.ts';
import {type ValueSchema, valuesSchema} from './values/schema.ts';

interface Row {
  readonly path: string;
  readonly schema: ValueSchema;
}

/** Values that have a meaning of their own, in order; groups and what is refused are none. */
export const valueRows = (schema: ValueSchema, path = ''): readonly Row[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const below = path === '' ? name : `${path}.${name}`;
    if (child.const !== undefined) return [];
    return child.default === undefined && child.properties !== undefined
      ? valueRows(child, below)
      : [{path: below, schema: child}];
  });

const refusedRows = (schema: ValueSchema, path = ''): readonly Row[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const below = path === '' ? name : `${path}.${name}`;
    return child.const === undefined ? refusedRows(child, below) : [{path: below, schema: child}];
  });

const boundsOf = ({enum: words, minimum, maximum}: ValueSchema): string =>
  words === undefined
    ? minimum === undefined
      ? ''
      : `${minimum}–${maximum}`
    : words.map(word => `\`${word}\``).join(' ');

const row = ({path, schema}: Row): string =>
  `| \`${path}\` | ${schema.default === undefined ? '' : `\`${JSON.stringify(schema.default)}\``} | ${boundsOf(schema)} | ${schema.description} |`;

/** The page about all values, for the reference. */
export const valuesPage = (): string => `<!-- ${MARKER} -->

# Values of the chart

Every key that is not listed here is refused. \`values.schema.json\` and this page are made from one source, and the
parts of Wherry check what they read from the ConfigMap \`wherry-config\` with the same.

What lies under \`configuration\`, and \`images.launcher\` and \`images.pullPolicy\` as far as guests are concerned, is taken while everything
runs: no pod restarts.

| value | default | bounds | description |
| --- | --- | --- | --- |
${valueRows(valuesSchema).map(row).join('\n')}

## Refused by name

Settings of KubeVirt that have no place here, and what becomes of them:

| value | must be |
| --- | --- |
${refusedRows(valuesSchema)
  .map(({path, schema}) => `| \`${path}\` | ${schema.const} |`)
  .join('\n')}
`;

const schemaFile = (): string =>
  `${JSON.stringify({$comment: MARKER, $schema: 'http://json-schema.org/draft-07/schema#', ...valuesSchema}, null, 2)}\n`;

const produce = async (): Promise<ReadonlyMap<string, string>> => new Map([['helm/values.schema.json', schemaFile()]]);

/** What the chart takes. */
export const values: Generator = {name: 'values of the chart', folders: [], produce};
