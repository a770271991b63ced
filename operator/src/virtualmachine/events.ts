import {type EndReason, EventReason} from '@wherry/api';
import type {EventText} from '../virtualmachineinstance/events.ts';

export type {EventText};

export const instanceCreated = (name: string): EventText => ({
  type: 'Normal',
  reason: EventReason.SuccessfulCreate,
  message: `Started the virtual machine by creating the new virtual machine instance ${name}`,
});

export const instanceNotCreated = (name: string, why: string): EventText => ({
  type: 'Warning',
  reason: EventReason.FailedCreate,
  message: `Error creating virtual machine instance ${name}: ${why}`,
});

export const instanceDeleted = (name: string): EventText => ({
  type: 'Normal',
  reason: EventReason.SuccessfulDelete,
  message: `Stopped the virtual machine by deleting the virtual machine instance ${name}`,
});

export const runFailed = (end: {readonly reason: EndReason; readonly message: string}): EventText => ({
  type: 'Warning',
  ...end,
});

export const nodeUnresponsive = (message: string): EventText => ({
  type: 'Warning',
  reason: EventReason.NodeUnresponsive,
  message,
});
