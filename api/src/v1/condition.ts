import type {ConditionReason, ConditionType} from '../constants/index.ts';
import {enumeration, type Infer, integer, listMap, object, optional, string, timestamp} from '../schema/index.ts';

/** One fact about an object, as metav1.Condition has it; `reason` may be missing, as in KubeVirt. */
const condition = object('One fact about the object.', {
  type: string('Name of the fact.', {minLength: 1, maxLength: 316}),
  status: enumeration('Whether it holds.', ['True', 'False', 'Unknown']),
  reason: optional(string('Why, in one CamelCase word that programs may rely on.', {maxLength: 1024})),
  message: optional(string('Why, for people.', {maxLength: 32_768})),
  lastTransitionTime: optional(timestamp('When the status last changed.')),
  observedGeneration: optional(
    integer('The generation of the object that this was found on.', {minimum: 0, maximum: Number.MAX_SAFE_INTEGER}),
  ),
});
export type Condition = Infer<typeof condition>;
export type ConditionStatus = Condition['status'];

export const conditions = listMap('What is known about the object, one entry for each type.', condition, {
  keys: ['type'],
  maxItems: 64,
});

/**
 * What the system itself says of one fact: its words are those of the list. When the status last changed is kept by
 * whoever puts it among the others.
 */
export interface Verdict extends Omit<Condition, 'lastTransitionTime' | 'observedGeneration'> {
  readonly type: ConditionType;
  readonly reason: ConditionReason;
}
