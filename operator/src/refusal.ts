import {ApiError} from '@wherry/kube';

/**
 * The API server understood and said no: a quota, a policy, a spec that is invalid by now. The user must hear of it,
 * and it is tried again, for what stands in the way may go. A conflict or an overloaded server is no refusal.
 */
export const isRefusal = (error: unknown): error is ApiError =>
  error instanceof ApiError && !error.isRetryable && !error.isConflict && error.status >= 400 && error.status < 500;
