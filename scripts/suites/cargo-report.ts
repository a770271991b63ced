import type {Skipped, SuiteResult} from './suite.ts';

const outcome = /^test (.+?) \.\.\. (ok|FAILED|ignored)(?:, (.*))?$/;
const counts = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/;

/**
 * What `cargo test` came to, from its lines. The counts are cargo's own; names are there for what failed or was
 * ignored. A test binary that died before its counts shows in `exitedWell`.
 */
export function readCargoOutput(lines: readonly string[], exitedWell: boolean): Omit<SuiteResult, 'suite' | 'took'> {
  const failed: string[] = [];
  const skipped: Skipped[] = [];
  let passed = 0;
  for (const line of lines) {
    const [, name, verdict, reason = 'its #[ignore] does not say why'] = outcome.exec(line) ?? [];
    if (name && verdict === 'FAILED') failed.push(name);
    if (name && verdict === 'ignored') skipped.push({name, reason});
    passed += Number(counts.exec(line)?.[1] ?? 0);
  }
  if (!exitedWell && failed.length === 0)
    failed.push('cargo test itself: it did not build, or a test ended its process');
  return {passed, failed, skipped};
}
