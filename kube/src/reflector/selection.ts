import type {Selection} from '../client/options.ts';
import type {OwnWrite} from '../client/writes.ts';
import type {KubeObject} from '../objects.ts';

/**
 * Whether a cache with this selection will hear of a write. One of an object that it holds, always: leaving a selection is
 * a deletion. Of others, what can be known here: namespace and labels that are compared for equality. What a field selector
 * takes in is the API server's to say: such a cache awaits no objects that it does not hold.
 */
export const willHearOf = <T extends KubeObject>(selection: Selection, write: OwnWrite<T>, held: boolean): boolean => {
  if (held) return true;
  if (write.type === 'removed' || selection.fieldSelector !== undefined) return false;
  const {namespace, labels = {}} = write.object.metadata;
  if (selection.namespace !== undefined && selection.namespace !== namespace) return false;
  return (selection.labelSelector ?? '').split(',').every(part => {
    const [, key, value] = /^\s*([^\s=!]+)\s*==?\s*([^\s=]*)\s*$/.exec(part) ?? [];
    // Other operators are not understood: better a key held back than one decided on too early.
    return key === undefined || labels[key] === value;
  });
};
