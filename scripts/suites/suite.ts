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
  run(): Promise<Omit<SuiteResult, 'suite' | 'took'>>;
}
