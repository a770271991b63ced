import type {Skipped, SuiteResult} from './suite.ts';

/** The parts of what `jest --json` writes that a summary needs. */
export interface JestReport {
  numPassedTests: number;
  testResults: readonly {
    /** Path of the test file. */
    name: string;
    status: string;
    assertionResults: readonly {fullName: string; status: string}[];
  }[];
}

/**
 * What a Jest run came to. A file that could not be run at all counts as a failure of its own, since its tests are in
 * no other count.
 */
export function readJestReport(report: JestReport): Omit<SuiteResult, 'suite' | 'took'> {
  const tests = report.testResults.flatMap(file => file.assertionResults);
  const broken = report.testResults.filter(
    file => file.status === 'failed' && !file.assertionResults.some(({status}) => status === 'failed'),
  );
  return {
    passed: report.numPassedTests,
    failed: [
      ...tests.filter(({status}) => status === 'failed').map(({fullName}) => fullName),
      ...broken.map(file => `${file.name} could not be run`),
    ],
    skipped: tests.filter(({status}) => ['pending', 'skipped', 'todo', 'disabled'].includes(status)).map(skippedTest),
  };
}

/** A skipped test says what it needs at the end of its name: `opens a tap (needs root)`. */
function skippedTest({fullName}: {fullName: string}): Skipped {
  const [, name, reason] = /^(.*) \((needs .*)\)$/s.exec(fullName) ?? [];
  return name && reason ? {name, reason} : {name: fullName, reason: 'its name does not say why'};
}
