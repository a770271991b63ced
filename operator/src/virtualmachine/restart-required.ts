import {sameJson} from '../status-patch.ts';

/**
 * Which fields of the instance would be different if it were made from its template now. Paths like
 * `domain.memory.guest`, sorted; a list counts as one field.
 */
export const changedFields = (running: unknown, wanted: unknown): string[] =>
  differences(running, wanted, '').toSorted();

const differences = (a: unknown, b: unknown, path: string): string[] => {
  if (sameJson(a, b)) return [];
  const keys = [...keysOf(a), ...keysOf(b)];
  // A change from or to nothing is named at its top: "domain.cpu", not each field under it.
  if (keys.length === 0 || keysOf(a).length === 0 || keysOf(b).length === 0) return [path === '' ? 'spec' : path];
  return [...new Set(keys)].flatMap(key =>
    differences(fieldOf(a, key), fieldOf(b, key), path === '' ? key : `${path}.${key}`),
  );
};

const keysOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];

const fieldOf = (value: unknown, key: string): unknown => (value as Record<string, unknown>)[key];

/** What a person reads in the condition: the fields, and the way out. */
export const restartMessage = (fields: readonly string[]): string => {
  const shown = fields.slice(0, 8).join(', ');
  const more = fields.length > 8 ? ` and ${fields.length - 8} more` : '';
  return `changed since the guest was started: ${shown}${more}. Restart the virtual machine to apply it.`;
};
