import {seconds} from '../core/progress.ts';
import type {SuiteResult} from './suite.ts';

/**
 * The end of a test run: what was skipped and why, what failed, a line per suite, and as the last line the sums in the
 * form that CI reads.
 */
export function summary(results: readonly SuiteResult[]): string[] {
  const skipped = results.flatMap(({suite, skipped: tests}) =>
    tests.map(({name, reason}) => `  ${suite}: ${name} — ${reason}`),
  );
  const failed = results.flatMap(({suite, failed: names}) => names.map(name => `  ${suite}: ${name}`));
  return [
    ...section('Skipped', skipped),
    ...section('Failed', failed),
    '',
    ...table([
      ['suite', 'passed', 'failed', 'skipped', 'took'],
      ...results.map(result => [result.suite, ...counts([result]).map(String), seconds(result.took)]),
    ]),
    '',
    closingLine(counts(results)),
  ];
}

type Counts = [passed: number, failed: number, skipped: number];

function counts(results: readonly SuiteResult[]): Counts {
  return results.reduce<Counts>(
    ([passed, failed, skipped], result) => [
      passed + result.passed,
      failed + result.failed.length,
      skipped + result.skipped.length,
    ],
    [0, 0, 0],
  );
}

const closingLine = ([passed, failed, skipped]: Counts): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

const section = (title: string, lines: string[]): string[] => (lines.length > 0 ? ['', `${title}:`, ...lines] : []);

function table(rows: readonly string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)));
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!);
  return rows.map(row => row.map(cell).join('  '));
}
