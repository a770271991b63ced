import {EndReason, endReasonOf, InstanceCondition} from '@wherry/api';
import {findCondition} from '../conditions.ts';
import type {Instance} from '../objects.ts';

/** How a run ended that is over, as its instance says: its machine must tell it when the instance is gone. */
export const howItEnded = ({status}: Instance): {readonly reason: EndReason; readonly message: string} => ({
  reason: endReasonOf(status?.reason) ?? EndReason.PodFailed,
  message: findCondition(status?.conditions, InstanceCondition.Ready)?.message ?? 'the guest has ended',
});
