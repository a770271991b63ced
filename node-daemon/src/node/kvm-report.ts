/** The verdict on this node's KVM, from the answer of `wherry-kvm-selftest`. Pure. */
import {type KvmVerdict, kvmVerdicts} from '@wherry/api';
import {isObject} from '../launcher/frames.ts';

export interface KvmReport {
  readonly verdict: KvmVerdict;
  /** One sentence for people. */
  readonly reason: string;
}

/** Annotations may be large; a reason is to be read. */
export const MAX_REASON = 1000;

/** One line of JSON; whatever else the program says, or that it says nothing, means that KVM cannot be relied on. */
export const kvmReport = (output: string): KvmReport => {
  let said: unknown;
  try {
    said = JSON.parse(output);
  } catch {
    return {verdict: 'broken', reason: 'the KVM self-test gave no answer that can be read'};
  }
  const verdict = isObject(said) ? kvmVerdicts.find(one => one === said['verdict']) : undefined;
  if (!isObject(said) || verdict === undefined)
    return {verdict: 'broken', reason: 'the KVM self-test gave no verdict that is known'};
  const {reason} = said;
  return {verdict, reason: typeof reason === 'string' ? reason.slice(0, MAX_REASON) : 'no reason was given'};
};
