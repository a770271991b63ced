import {type ConditionReason, EventReason} from '@wherry/api';
import type {Ending} from './ending.ts';
import type {Problem} from './start-checks.ts';

/** What people read under Events of an object. */
export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason | ConditionReason;
  readonly message: string;
}

export const podCreated = (pod: string): EventText => ({
  type: 'Normal',
  reason: EventReason.SuccessfulCreate,
  message: `Created virtual machine pod ${pod}`,
});

export const podNotCreated = (pod: string, why: string): EventText => ({
  type: 'Warning',
  reason: EventReason.FailedCreate,
  message: `Error creating pod ${pod}: ${why}`,
});

export const podDeleted = (pod: string): EventText => ({
  type: 'Normal',
  reason: EventReason.SuccessfulDelete,
  message: `Deleted virtual machine pod ${pod}`,
});

export const shuttingDown: EventText = {
  type: 'Normal',
  reason: EventReason.ShuttingDown,
  message: 'Signaled Graceful Shutdown: the pod of the guest is being deleted',
};

export const instanceGone: EventText = {
  type: 'Normal',
  reason: EventReason.Deleted,
  message: 'No pod and no engine of the run are left',
};

/** The guest cannot be started as things are; said once for each reason. */
export const cannotStart = ({reason, message}: Problem): EventText => ({type: 'Warning', reason, message});

export const guestEnded = ({phase, message}: Ending): EventText => ({
  type: phase === 'Succeeded' ? 'Normal' : 'Warning',
  reason: EventReason.Stopped,
  message,
});

export const nodeUnresponsive = ({reason, message}: Problem): EventText => ({type: 'Warning', reason, message});

export const nodeAnswers: EventText = {
  type: 'Normal',
  reason: EventReason.NodeAnswers,
  message: 'The node is heard of again, and the guest has run on',
};

export const evictionRequested = (node: string): EventText => ({
  type: 'Normal',
  reason: EventReason.EvictionRequested,
  message: `Node ${node} is being drained. The guest runs on until its machine is stopped, for its evictionStrategy is External`,
});
