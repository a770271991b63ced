/** What one run of libFuzzer came to, from its lines. */
export interface FuzzReport {
  executions: number;
  /** Edges of the code that were reached. */
  coverage: number;
  /** Inputs that reached something which the kept corpus does not. */
  added: number;
  /** File with the input that failed. */
  failedBy: string | undefined;
}

const last = (lines: readonly string[], pattern: RegExp): string | undefined =>
  lines.flatMap(line => pattern.exec(line)?.[1] ?? []).at(-1);

export function readFuzzOutput(lines: readonly string[]): FuzzReport {
  return {
    executions: Number(last(lines, /^stat::number_of_executed_units:\s*(\d+)$/) ?? last(lines, /^#(\d+)\s/) ?? 0),
    coverage: Number(last(lines, / cov: (\d+) /) ?? 0),
    added: Number(last(lines, /^stat::new_units_added:\s*(\d+)$/) ?? 0),
    failedBy: last(lines, /Test unit written to (\S+)$/),
  };
}
