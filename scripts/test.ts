/** `npm test`: all tiers in order, and what they came to. `--only unit,rust` runs some of them, `--lab` those that need a KVM instead, `--long` the slow proofs. */
import {main} from './core/main.ts';
import {readArguments} from './suites/arguments.ts';
import {groupsOf, type Suite, type SuiteResult} from './suites/suite.ts';
import {labSuites, longSuites, suites} from './suites/suites.ts';
import {summary} from './suites/summary.ts';

await main(async progress => {
  const args = process.argv.slice(2);
  const all = (args.includes('--long') ? longSuites : args.includes('--lab') ? labSuites : suites)(progress);
  const only = readArguments(
    args,
    all.map(({name}) => name),
  );
  const chosen = all.filter(({name}) => only.includes(name));
  const results = [];
  for (const group of groupsOf(chosen)) results.push(...(await Promise.all(group.map(runSuite))));
  console.log(summary(results).join('\n'));
  if (results.some(({failed}) => failed.length > 0)) process.exitCode = 1;
});

/** A suite whose preparation fails has failed; the others still run. */
async function runSuite(suite: Suite): Promise<SuiteResult> {
  const started = performance.now();
  console.log(`\n== ${suite.name}`);
  const outcome = await suite.run().catch((error: unknown) => {
    console.log(error instanceof Error ? error.message : error);
    return {passed: 0, failed: ['its preparation'], skipped: []};
  });
  return {suite: suite.name, ...outcome, took: performance.now() - started};
}
