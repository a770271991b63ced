import {ApiError} from '@wherry/kube';

/**
 * The API server understood and said no: a quota, a policy, a spec that is invalid by now. The user must hear of it,
 * and it is tried again, for what stands in the way may go. A conflict or an overloaded server is no refusal.
 */
export const isRefusal = (error: unknown): error is ApiError =>
  error instanceof ApiError && !error.isRetryable && !error.isConflict && error.status >= 400 && error.status < 500;

/** What the API server said, and what a person can do about it. */
export const refusalText = ({message}: {readonly message: string}): string => {
  const remedy = remedies.find(([words]) => words.test(message))?.[1];
  return remedy === undefined ? message : `${message}: ${remedy}`;
};

/** The words are those of Kubernetes's admission plugins. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [/must specify limits\./, 'set spec.domain.resources.limits, which this ResourceQuota asks for'],
  [/exceeded quota/, 'raise that ResourceQuota, or stop something that counts against it'],
  [/(maximum|minimum) .*(usage|ratio)/i, 'change spec.domain.resources, or the LimitRange of the namespace'],
  [/violates PodSecurity/, 'the pod of a guest keeps to the level restricted: look at what the spec adds to it'],
  [/no PriorityClass with name/, 'create that PriorityClass, or name another in spec.priorityClassName'],
];
