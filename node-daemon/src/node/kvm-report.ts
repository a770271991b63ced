/** The verdict on this node's KVM, from the answer of `wherry-kvm-selftest`. Pure. */
import {type KvmVerdict, kvmVerdicts} from '@wherry/api';
import {isObject} from '../launcher/frames.ts';
import type {CpuidEntry} from './cpuid.ts';

export interface KvmReport {
  readonly verdict: KvmVerdict;
  /** One sentence for people. */
  readonly reason: string;
  /** What it offers to guests of CPUID; nothing where it is not usable. */
  readonly cpuid: readonly CpuidEntry[];
}

/** Annotations may be large; a reason is to be read. */
export const MAX_REASON = 1000;

/** One line of JSON; whatever else the program says, or that it says nothing, means that KVM cannot be relied on. */
export const kvmReport = (output: string): KvmReport => {
  let said: unknown;
  try {
    said = JSON.parse(output);
  } catch {
    return broken('the KVM self-test gave no answer that can be read');
  }
  const verdict = isObject(said) ? kvmVerdicts.find(one => one === said['verdict']) : undefined;
  if (!isObject(said) || verdict === undefined) return broken('the KVM self-test gave no verdict that is known');
  const {reason, cpuid} = said;
  return {
    verdict,
    reason: typeof reason === 'string' ? reason.slice(0, MAX_REASON) : 'no reason was given',
    cpuid: verdict === 'usable' && Array.isArray(cpuid) ? cpuid.flatMap(entryOf) : [],
  };
};

/** KVM that cannot be relied on. */
export const broken = (reason: string): KvmReport => ({
  verdict: 'broken',
  reason: reason.slice(0, MAX_REASON),
  cpuid: [],
});

/** Leaf, subleaf, eax, ebx, ecx, edx. */
const entryOf = (entry: unknown): readonly CpuidEntry[] => {
  if (!Array.isArray(entry) || entry.length !== 6 || !entry.every(Number.isSafeInteger)) return [];
  const [leaf, subleaf, eax, ebx, ecx, edx] = entry as [number, number, number, number, number, number];
  return [{leaf, subleaf, eax, ebx, ecx, edx}];
};
