import {messageOf} from '../errors.ts';
import {type KvmReport, kvmReport} from './kvm-report.ts';
import {run} from './run.ts';

/** A usable KVM takes well below a second; a broken one may hang the process, which is then killed. */
const TIMEOUT_MS = 20_000;

/** Runs the self-test program. Never rejects: a test that cannot be run is no evidence for KVM. */
export const testKvm = async (program: string, signal: AbortSignal): Promise<KvmReport> => {
  try {
    return kvmReport(await run(program, [], {timeoutMs: TIMEOUT_MS, signal}));
  } catch (error) {
    return {verdict: 'broken', reason: messageOf(error).slice(0, 1000)};
  }
};
