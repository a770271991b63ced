import {rowsOf, type Section} from './figure.ts';

export interface Results {
  readonly date: string;
  /** What was measured on, in a sentence. */
  readonly machine: string;
  readonly sections: readonly Section[];
}

/** The page of the reference. */
export const page = ({date, machine, sections}: Results): string =>
  [
    '# Benchmarks',
    '',
    'Written by `npm run bench -- --page`; `npm run bench` prints the same for your machine and leaves this page alone.',
    '',
    `Measured on ${date}: ${machine}.`,
    ...sections.flatMap(sectionLines),
    '',
  ].join('\n');

const sectionLines = (section: Section): string[] => [
  '',
  `## ${section.title}`,
  '',
  `${section.how[0]!.toUpperCase()}${section.how.slice(1)}.`,
  '',
  ...markdownTable([['what', 'measured', 'goal', '', ''], ...rowsOf(section)]),
  ...(section.details === undefined ? [] : ['', ...markdownTable(section.details)]),
];

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const markdownTable = (rows: readonly (readonly string[])[]): string[] => {
  const [head = [], ...rest] = rows;
  return [
    line(head),
    line(head.map(() => '---')),
    ...rest.map(row => line(head.map((_, column) => row[column] ?? ''))),
  ];
};
