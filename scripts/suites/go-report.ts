import type {Skipped, SuiteResult} from './suite.ts';

/** The lines of `go test -json` that a summary needs. */
interface Event {
  Action: string;
  Package?: string;
  Test?: string;
  Output?: string;
}

/** What `go test -json` came to. A package that fails without a failing test, because it does not build, is a failure. */
export function readGoOutput(lines: readonly string[]): Omit<SuiteResult, 'suite' | 'took'> {
  const events = lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line) as Event);
  const ended = (action: string): Event[] => events.filter(event => event.Action === action && event.Test);
  const failed = ended('fail').map(({Test}) => Test!);
  const broken = events
    .filter(event => event.Action === 'fail' && !event.Test)
    .map(({Package}) => `${Package} does not build`);
  return {
    passed: ended('pass').length,
    failed: failed.length > 0 ? failed : broken,
    skipped: ended('skip').map(event => skippedTest(event, events)),
  };
}

/** What the test printed last before its verdict is what it gave to `t.Skip`. */
function skippedTest({Package, Test}: Event, events: readonly Event[]): Skipped {
  const said = events.filter(event => event.Action === 'output' && event.Test === Test && event.Package === Package);
  const reason = said.map(({Output = ''}) => /^\s+\S+_test\.go:\d+: (.*)/.exec(Output)?.[1]).findLast(text => text);
  return {name: Test!, reason: reason ?? 'its t.Skip does not say why'};
}
