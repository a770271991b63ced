/** An engine that does not answer: what people are told. Pure. */
import {EventReason, InstanceCondition, type InstanceStatus, Reason} from '@wherry/api';
import type {Verdict} from './conditions.ts';

const message =
  'the engine does not answer, so the guest is likely to stand still. It is left alone, and may go on by itself: look at ' +
  'the node and at the storage of its volumes. If it has to end, stop the machine or delete the instance; it is killed ' +
  'when its grace period is over';

/** Whether an engine exists is not in doubt, only what it does: nothing is started in its place. */
export const hangVerdict: Verdict & {readonly message: string} = {
  type: InstanceCondition.EngineActive,
  status: 'Unknown',
  reason: Reason.EngineUnresponsive,
  message,
};

/** What people are told where it begins or ends; undefined where neither is so. */
export const hangNews = (
  before: InstanceStatus | undefined,
  hangs: boolean,
):
  | {readonly what: (typeof EventReason)['EngineUnresponsive' | 'EngineResponsive']; readonly message: string}
  | undefined => {
  const hung =
    before?.conditions?.some(({type, status}) => type === hangVerdict.type && status === hangVerdict.status) === true;
  if (hung === hangs) return undefined;
  return hangs
    ? {what: EventReason.EngineUnresponsive, message}
    : {what: EventReason.EngineResponsive, message: 'the engine answers again'};
};
