import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {
  annotationMessage,
  annotationRefusals,
  type Covered,
  covered,
  kindMessage,
  kindRefusals,
  refusalMessage,
  type Support,
  supportIn,
} from '@wherry/api';
import {repository} from '../core/paths.ts';
import {type Generator, MARKER} from './generator.ts';

/** Paths of the fields of KubeVirt's kind, from the list that is kept of them. */
export const kubevirtFields = async (kind: string): Promise<readonly string[]> => {
  const text = await readFile(join(repository, 'api/kubevirt-fields', `${kind}.txt`), 'utf8');
  return text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
};

interface Row {
  readonly path: string;
  readonly support: Support;
}

interface Section {
  readonly covered: Covered;
  readonly rows: readonly Row[];
}

const sectionOf = async (one: Covered): Promise<Section> => {
  const supportOf = supportIn(one);
  const paths = await kubevirtFields(one.kind);
  return {covered: one, rows: paths.map(path => ({path, support: supportOf(path)}))};
};

const count = ({rows}: Section, support: Support): number => rows.filter(row => row.support === support).length;

const totals = (section: Section): string => {
  const missing = count(section, 'missing');
  return (
    `${section.covered.kind}: ${count(section, 'implemented')} implemented, ${count(section, 'refused')} refused by name` +
    `${missing === 0 ? '' : `, ${missing} missing`}, ${section.rows.length} in all`
  );
};

/** The one line that says it all. */
const summary = (sections: readonly Section[]): string => `Fields of KubeVirt: ${sections.map(totals).join('; ')}.`;

/** A template is an instance: its refusals are listed with that. */
const refusalLines = ({covered: {kind, refusals}}: Section): readonly string[] =>
  Object.entries(refusals)
    .filter(([path]) => kind === 'VirtualMachineInstance' || !path.startsWith('template.spec.'))
    .map(([path, refusal]) => `- ${refusalMessage(`\`${path}\``, refusal)}`);

const sectionText = (section: Section): string => `## ${section.covered.kind}

${totals(section)}.

What is refused, and what to use instead:

${refusalLines(section).join('\n')}

| field of KubeVirt | here |
| --- | --- |
${section.rows.map(({path, support}) => `| \`${path}\` | ${support} |`).join('\n')}
`;

const page = (sections: readonly Section[]): string => `<!-- ${MARKER} -->

# Coverage

${summary(sections)}

A field that is refused is known to the schema: an object that asks for it is not stored, whatever the client, and the
message names the field and what to use instead. Null, and values that ask for nothing or for what is so anyway, pass.

${sections.map(sectionText).join('\n')}
## Annotations

KubeVirt turns some features on by annotations of an instance or of a machine's template. These are refused:

${Object.entries(annotationRefusals)
  .map(([name, refusal]) => `- ${annotationMessage(`\`${name}\``, refusal)}`)
  .join('\n')}

## Kinds

Kinds of KubeVirt and its companions that are not served. kubectl says of them \`no matches for kind\`.

${kindRefusals.map(refusal => `- ${kindMessage(refusal)}`).join('\n')}
`;

/** The page about every field of KubeVirt's kinds. */
export const coveragePage = async (): Promise<string> => page(await Promise.all(covered.map(sectionOf)));

/** The text with the summary between its markers; the same text where there are none. */
export const withSummary = (text: string, line: string): string =>
  text.replace(
    /(<!-- coverage:start -->)[^]*?(<!-- coverage:end -->)/,
    (_, start: string, end: string) => `${start}\n${line}\n${end}`,
  );

const produce = async (): Promise<ReadonlyMap<string, string>> => {
  const line = summary(await Promise.all(covered.map(sectionOf)));
  const pages = ['README.md', 'docs/guide/kubevirt.md'].filter(path => existsSync(join(repository, path)));
  const texts = await Promise.all(
    pages.map(async path => withSummary(await readFile(join(repository, path), 'utf8'), line)),
  );
  return new Map(pages.map((path, index) => [path, texts[index]!]));
};

/** The summary in pages that people write but for that. */
export const readme: Generator = {name: 'coverage in the README and the guide', folders: [], produce};
