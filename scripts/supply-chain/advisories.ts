/** What is known against the packages that we depend on, where it can be asked. */
import {run} from '../core/command.ts';
import {CommandError} from '../core/errors.ts';
import {repository} from '../core/paths.ts';
import type {Dependency} from './packages.ts';

export type Answer =
  | {readonly at: 'asked'; readonly found: readonly string[]}
  /** Nobody could be asked. */
  | {readonly at: 'unreachable'; readonly needs: string};

interface AuditReport {
  readonly vulnerabilities?: Readonly<
    Record<string, {readonly name: string; readonly severity: string; readonly range: string}>
  >;
}

/** What fails the check. Below it npm's advisories are mostly about tools that read what we wrote ourselves. */
const severe: readonly string[] = ['high', 'critical'];

/** What a report of `npm audit --json` says. Where the registry has no advisories, the report is about that. */
export const readAudit = (text: string): Answer => {
  let report: AuditReport;
  try {
    report = JSON.parse(text) as AuditReport;
  } catch {
    report = {};
  }
  if (report.vulnerabilities === undefined)
    return {at: 'unreachable', needs: 'needs an npm registry that answers npm audit'};
  const found = Object.values(report.vulnerabilities).filter(({severity}) => severe.includes(severity));
  return {at: 'asked', found: found.map(({name, severity, range}) => `${name} ${range}: ${severity}, by npm audit`)};
};

export const npmAudit = async (): Promise<Answer> => {
  const lines: string[] = [];
  // It fails where it finds something; the report says what.
  const text = await run('npm', ['audit', '--json'], {cwd: repository, onLine: line => lines.push(line)}).catch(
    (error: unknown) => {
      if (error instanceof CommandError) return lines.filter(line => !line.startsWith('npm ')).join('\n');
      throw error;
    },
  );
  return readAudit(text);
};

/** OSV has RustSec's advisories, which cargo-audit and cargo-deny read too, and needs no program. */
export const osv = 'https://api.osv.dev/v1/querybatch';

interface OsvAnswer {
  readonly results: readonly {readonly vulns?: readonly {readonly id: string}[]}[];
}

/**
 * Asks OSV about crates.
 * @param url where; a test asks its own server.
 */
export const crateAdvisories = async (crates: readonly Dependency[], url: string = osv): Promise<Answer> => {
  const queries = crates.map(({name, version}) => ({package: {name, ecosystem: 'crates.io'}, version}));
  const response = await fetch(url, {
    method: 'POST',
    headers: {'content-type': 'application/json'},
    body: JSON.stringify({queries}),
    signal: AbortSignal.timeout(10_000),
  }).catch(() => undefined);
  if (response?.ok !== true) return {at: 'unreachable', needs: `needs ${new URL(url).host}, for RustSec's advisories`};
  const {results} = (await response.json()) as OsvAnswer;
  if (results.length !== crates.length) throw new Error(`OSV answered ${results.length} of ${crates.length} questions`);
  const found = results.flatMap(({vulns = []}, at) =>
    vulns.map(({id}) => `${crates[at]!.name} ${crates[at]!.version}: ${id}, by OSV`),
  );
  return {at: 'asked', found};
};
