import type {MemoryUse} from './memory.ts';
import type {Subject} from './story.ts';

export interface StepResult {
  readonly story: string;
  readonly step: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
  /** Why it failed, or what it needs. */
  readonly reason?: string;
}

export interface Machine {
  readonly kernel: string;
  readonly processor: string;
  /** What the KVM self-test says. */
  readonly kvm: {readonly verdict: string; readonly reason: string};
}

export interface Report {
  readonly subject: Subject;
  readonly machine: Machine;
  readonly results: readonly StepResult[];
  /** Where it was asked for. */
  readonly memory?: MemoryUse;
}

const marks = {passed: 'ok  ', failed: 'FAIL', skipped: 'skip'} as const;

export const resultLine = ({story, step, outcome, ms, reason}: StepResult): string =>
  `${marks[outcome]} ${story}: ${step}${outcome === 'passed' ? ` (${ms} ms)` : ''}${reason === undefined ? '' : ` — ${reason}`}`;

/** The verdict and what it rests on: what a user sends along with a question about their hardware. */
export const closingLines = ({subject, machine, results}: Report): readonly string[] => {
  const count = (outcome: StepResult['outcome']): number => results.filter(one => one.outcome === outcome).length;
  return [
    `machine: Linux ${machine.kernel} on ${machine.processor}`,
    `KVM: ${machine.kvm.verdict}, ${machine.kvm.reason}`,
    `engine ${subject.engine} with ${subject.accelerator}: ${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`,
  ];
};
