import {type KvmReport, kvmReport} from './kvm-report.ts';
import {run} from './run.ts';

/** A usable KVM takes well below a second; a broken one may hang the process, which is then killed. */
const TIMEOUT_MS = 20_000;

/** Runs the self-test program. @throws DaemonError PROGRAM_FAILED where it cannot be run to its end */
export const testKvm = async (program: string, signal: AbortSignal): Promise<KvmReport> =>
  kvmReport(await run(program, [], {timeoutMs: TIMEOUT_MS, signal}));
