import {configSchema} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {parse, parseDocument, type Scalar, type YAMLMap} from 'yaml';
import {repository} from '../core/paths.ts';
import {MARKER} from './generator.ts';
import {valueRows, values, valuesPage} from './values.ts';
import {type ValueSchema, valuesSchema} from './values/schema.ts';

type Json = Readonly<Record<string, unknown>>;

const written = readFileSync(join(repository, 'helm/values.yaml'), 'utf8');
const everyValue = parse(readFileSync(join(repository, 'test/fixtures/helm/every-value.yaml'), 'utf8')) as Json;

/** The values that the schema's defaults make. */
const defaults = ({default: value, properties}: ValueSchema): unknown => {
  if (value !== undefined || properties === undefined) return value;
  const filled = Object.entries(properties).map(([name, child]) => [name, defaults(child)] as const);
  return Object.fromEntries(filled.filter(([, one]) => one !== undefined));
};

const at = (object: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((found, name) => (found as Json | undefined)?.[name], object);

test('values.yaml holds every default, and nothing that the schema does not know', () => {
  expect(parse(written)).toEqual(JSON.parse(JSON.stringify(defaults(valuesSchema))));
});

/** The comment above a key. That of a group's first key belongs to the group, as the parser has it. */
const commentOn = (path: string): string | undefined => {
  const names = path.split('.');
  const map = parseDocument(written).getIn(names.slice(0, -1)) as YAMLMap;
  const index = map.items.findIndex(({key}) => (key as Scalar).value === names.at(-1));
  const own = (map.items[index]?.key as Scalar | undefined)?.commentBefore;
  return own ?? (index === 0 ? map.commentBefore : undefined) ?? undefined;
};

test('every value is described, in the schema and by a comment in values.yaml', () => {
  for (const {path, schema} of valueRows(valuesSchema).filter(({path}) => path !== 'global')) {
    expect([path, schema.description]).toEqual([path, expect.stringMatching(/\.$/)]);
    expect([path, commentOn(path)]).toEqual([path, expect.stringMatching(/\w/)]);
  }
});

test('the configuration of the values is that which the parts check, but for what the images say', () => {
  const {properties = {}} = configSchema.json;
  const here = valuesSchema.properties?.['configuration']?.properties ?? {};
  const same = Object.keys(properties).filter(name => here[name] === properties[name]);
  expect(Object.keys(properties).filter(name => !same.includes(name))).toEqual(['launcherImage', 'imagePullPolicy']);
  for (const [name, schema] of Object.entries(here).filter(([name]) => !same.includes(name))) {
    expect([name, schema.const]).toEqual([name, expect.stringMatching(/^left out: /)]);
  }
});

test('every group refuses keys that it does not name', () => {
  const check = (schema: ValueSchema, path: string): void => {
    if (schema.properties === undefined) return;
    expect([path, schema.additionalProperties]).toEqual([path, false]);
    for (const [name, child] of Object.entries(schema.properties)) check(child, `${path}.${name}`);
  };
  check(valuesSchema, '');
});

test('the fixture with every value leaves none out and none at its default', () => {
  for (const {path, schema} of valueRows(valuesSchema)) {
    expect([path, at(everyValue, path)]).toEqual([path, expect.anything()]);
    expect([path, at(everyValue, path)]).not.toEqual([path, schema.default]);
  }
});

test('the page has a row for each value, and for each that is refused', () => {
  const page = valuesPage();
  expect(page).toContain('| `configuration.cpuAllocationRatio` | `10` | 1–1000 | How many vCPUs share one CPU');
  expect(page).toContain(
    '| `configuration.cpuModel` | left out: set spec.template.spec.domain.cpu.model in each machine |',
  );
  expect(page).not.toContain('undefined');
});

test('the schema in the chart says what made it', async () => {
  const text = (await values.produce()).get('helm/values.schema.json') ?? '';
  expect(JSON.parse(text)).toMatchObject({$comment: MARKER, description: valuesSchema.description});
});
