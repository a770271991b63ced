/** True when both are the same JSON; a key without a value is the same as no key. */
export const sameJson = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, at) => sameJson(item, b[at]));
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every(key => sameJson(a[key], b[key]));
};

/**
 * The merge patch that turns one status into the other, or undefined when they are the same. It names only top-level
 * keys that changed (null where one is gone), so that a patch never repeats what another writer owns.
 */
export const statusPatch = (before: object | undefined, after: object): Record<string, unknown> | undefined => {
  const old: Record<string, unknown> = {...before};
  const next: Record<string, unknown> = {...after};
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
    if (sameJson(old[key], next[key])) continue;
    patch[key] = mergeable(old[key], next[key]);
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
};

/** Merge patch keeps keys that a nested object leaves out: they are named with null. Lists are replaced whole. */
const mergeable = (before: unknown, after: unknown): unknown => {
  if (after === undefined) return null;
  if (!isRecord(after) || !isRecord(before)) return after;
  const gone = Object.keys(before).filter(key => after[key] === undefined);
  const kept = Object.entries(after).map(([key, value]) => [key, mergeable(before[key], value)]);
  return Object.fromEntries([...kept, ...gone.map(key => [key, null])]);
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
