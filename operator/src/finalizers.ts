import type {StoredMeta} from './objects.ts';

/**
 * The merge patch that puts a finalizer on or takes it off. It replaces the whole list, so it carries the
 * resourceVersion: somebody else's finalizer is never lost, a conflict means decide again.
 */
export const finalizerPatch = (
  {metadata}: {readonly metadata: StoredMeta},
  finalizer: string,
  change: 'add' | 'remove',
): object => {
  const others = (metadata.finalizers ?? []).filter(one => one !== finalizer);
  const finalizers = change === 'add' ? [...others, finalizer] : others;
  return {metadata: {resourceVersion: metadata.resourceVersion, finalizers}};
};
