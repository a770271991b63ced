import type {StartFailure} from '@wherry/api';

/**
 * The back-off of guests that end before they ever ran. It is data in the VM's status, not memory, so that it outlives
 * the operator. Seconds as KubeVirt's: 10 × n², up to half as much again at random, at most 300.
 */
/** How a run stands, as far as starting is concerned. */
export interface RunProgress {
  readonly uid: string;
  readonly failed: boolean;
  /** It reached phase Running at some time. */
  readonly hasRun: boolean;
}

const baseSeconds = 10;
const maxSeconds = 300;

/**
 * The next value of `status.startFailure`: one failure more per run that failed early (each counted once, by its uid),
 * none after a run that reached Running. `random` gives numbers in [0, 1).
 */
export const nextStartFailure = (
  before: StartFailure | undefined,
  run: RunProgress | undefined,
  now: number,
  random: () => number,
): StartFailure | undefined => {
  if (run === undefined) return before;
  if (run.hasRun) return undefined;
  if (!run.failed || before?.lastFailedVMIUID === run.uid) return before;
  const consecutiveFailCount = (before?.consecutiveFailCount ?? 0) + 1;
  // The API keeps whole seconds: rounded up, so that a retry never comes early.
  const retryAt = Math.ceil((now + backOffMs(consecutiveFailCount, random)) / 1000) * 1000;
  return {
    consecutiveFailCount,
    lastFailedVMIUID: run.uid,
    retryAfterTimestamp: new Date(retryAt).toISOString().replace('.000Z', 'Z'),
  };
};

export const backOffMs = (failures: number, random: () => number): number => {
  const base = Math.min(maxSeconds, baseSeconds * failures ** 2);
  return 1000 * Math.min(maxSeconds, base + random() * base * 0.5);
};

/** Milliseconds since the epoch, or undefined where nothing holds a start back. */
export const retryAt = (failure: StartFailure | undefined): number | undefined => {
  const at = Date.parse(failure?.retryAfterTimestamp ?? '');
  return Number.isNaN(at) ? undefined : at;
};
