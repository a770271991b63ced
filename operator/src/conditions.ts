/** Conditions as KubeVirt writes them: one entry per type, a transition time that moves only with the status. */
import type {Condition, Verdict} from '@wherry/api';

export type {Condition, Verdict};

/** What was read from another object: words that may be older, or newer, than the list of this version. */
export type Statement = Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>;

/** RFC 3339 in whole seconds, the precision of every timestamp in the API. */
export const timestamp = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

export const findCondition = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find(condition => condition.type === type);

export const isTrue = (conditions: readonly Condition[] | undefined, type: string): boolean =>
  findCondition(conditions, type)?.status === 'True';

export const isFalse = (conditions: readonly Condition[] | undefined, type: string): boolean =>
  findCondition(conditions, type)?.status === 'False';

/**
 * The list with this verdict in it. The same list is returned when it says so already, so that an unchanged status
 * stays unchanged.
 */
export const withCondition = (
  conditions: readonly Condition[],
  verdict: Statement,
  now: number,
): readonly Condition[] => {
  const before = findCondition(conditions, verdict.type);
  if (before !== undefined && sameVerdict(before, verdict)) return conditions;
  const lastTransitionTime = before?.status === verdict.status ? before.lastTransitionTime : timestamp(now);
  const next: Condition = {...verdict, ...(lastTransitionTime === undefined ? {} : {lastTransitionTime})};
  if (before === undefined) return [...conditions, next];
  return conditions.map(condition => (condition === before ? next : condition));
};

export const withoutCondition = (conditions: readonly Condition[], type: string): readonly Condition[] =>
  findCondition(conditions, type) === undefined ? conditions : conditions.filter(condition => condition.type !== type);

const sameVerdict = (a: Statement, b: Statement): boolean =>
  a.status === b.status && (a.reason ?? '') === (b.reason ?? '') && (a.message ?? '') === (b.message ?? '');
