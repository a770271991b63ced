/** Conditions as metav1 has them: one for each type, with the time at which its status last changed. */
import type {Condition, Verdict} from '@wherry/api';

export type {Verdict};

/** RFC 3339, in whole seconds. */
export const timestamp = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

/** The list with this verdict in it; the same list where it says so already. */
export const withCondition = (
  conditions: readonly Condition[],
  verdict: Verdict,
  now: number,
): readonly Condition[] => {
  const before = conditions.find(({type}) => type === verdict.type);
  if (
    before?.status === verdict.status &&
    (before.reason ?? '') === (verdict.reason ?? '') &&
    (before.message ?? '') === (verdict.message ?? '')
  )
    return conditions;
  const lastTransitionTime =
    before?.status === verdict.status && before.lastTransitionTime !== undefined
      ? before.lastTransitionTime
      : timestamp(now);
  const after = {...verdict, lastTransitionTime};
  return before === undefined ? [...conditions, after] : conditions.map(one => (one === before ? after : one));
};

export const withoutCondition = (conditions: readonly Condition[], type: string): readonly Condition[] =>
  conditions.some(one => one.type === type) ? conditions.filter(one => one.type !== type) : conditions;
