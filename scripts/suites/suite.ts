/** One test that did not run, and what its author says it lacked. */
export interface Skipped {
  name: string;
  reason: string;
}

/** What a suite came to. A suite that could not run at all has one failure. */
export interface SuiteResult {
  suite: string;
  passed: number;
  /** Names of the tests that failed. */
  failed: readonly string[];
  skipped: readonly Skipped[];
  /** In ms. */
  took: number;
}

/** A tier of tests: runs, prints as it goes, and never throws for a test that fails. */
export interface Suite {
  name: string;
  /** It runs beside the suite before it: one of them waits more than it works. */
  beside?: boolean;
  run(): Promise<Omit<SuiteResult, 'suite' | 'took'>>;
}

/** The suites that run at the same time, group after group. */
export const groupsOf = (suites: readonly Suite[]): readonly (readonly Suite[])[] =>
  suites.reduce<Suite[][]>((groups, suite) => {
    const last = groups.at(-1);
    if (suite.beside === true && last !== undefined) last.push(suite);
    else groups.push([suite]);
    return groups;
  }, []);
