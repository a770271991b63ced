/** What is known about the launcher of one pod, and how it changes. Pure. */
import type {LauncherEvent, LauncherHello, LauncherState, LauncherStatus} from '@wherry/api';
import {AGENT_DEVICE} from '../engine/qemu/machine-type.ts';
import {isObject, type JsonObject} from '../launcher/frames.ts';

export type LauncherView =
  /** Not looked at yet. */
  | {readonly at: 'unknown'}
  /** Its folder is there, but nobody answers: it has not begun to listen, or it is about to end. */
  | {readonly at: 'silent'; readonly ending?: string}
  /** It answers. */
  | ({readonly at: 'connected'} & Connected)
  /** Certainly dead, and with it, as PID 1 of its PID namespace, every process of the pod. Never left again. */
  | {readonly at: 'gone'; readonly why: 'EngineExited' | 'PodGone'; readonly since: number; readonly message: string};

export interface Connected {
  /** Uid of the instance, in the launcher's own words. */
  readonly uid: string;
  readonly state: LauncherState;
  readonly paused: boolean;
  readonly panicked: boolean;
  /** The guest agent has opened its channel. */
  readonly agent: boolean;
  /** The launcher's last words. */
  readonly ending: string | undefined;
}

export const connected = (hello: LauncherHello, status: LauncherStatus): Connected & {readonly at: 'connected'} => ({
  at: 'connected',
  uid: hello.uid,
  state: status.state,
  paused: false,
  panicked: false,
  agent: false,
  ending: undefined,
});

/** The view after this event; the very same one where it changes nothing. */
export const afterEvent = (view: LauncherView, event: LauncherEvent | undefined): LauncherView => {
  if (view.at !== 'connected' || event === undefined) return view;
  switch (event.type) {
    case 'state':
      return view.state === event.state ? view : {...view, state: event.state};
    case 'engine':
      return afterEngineEvent(view, event.qmp);
    case 'exited':
      return {...view, ending: `${event.outcome}: ${event.message}`};
    case 'lease':
      return view;
  }
};

const afterEngineEvent = (
  view: LauncherView & {readonly at: 'connected'},
  {event, data}: {readonly event: string; readonly data?: object},
): LauncherView => {
  switch (event) {
    case 'STOP':
      return view.paused ? view : {...view, paused: true};
    case 'RESUME':
      return view.paused ? {...view, paused: false} : view;
    case 'GUEST_PANICKED':
      return view.panicked ? view : {...view, panicked: true};
    case 'VSERPORT_CHANGE':
      return afterPortChange(view, isObject(data) ? data : {});
    default:
      return view;
  }
};

/** Only the agent's own port tells of the agent. */
const afterPortChange = (view: LauncherView & {readonly at: 'connected'}, {id, open}: JsonObject): LauncherView => {
  const agent = open === true;
  return id !== AGENT_DEVICE || agent === view.agent ? view : {...view, agent};
};

/** Whether the guest is said to be paused, and since when. */
export interface Pause {
  readonly paused: boolean;
  /** Local, in milliseconds. */
  readonly since: number;
}

/** A launcher that says STOP and RESUME in turns must not cause a write to the API each time. */
const PAUSE_SETTLE_MS = 1000;

/** What is said from now on: a change counts once the last one is old enough. The very same one where nothing changes. */
export const settledPause = (before: Pause | undefined, paused: boolean, now: number): Pause => {
  if (before === undefined) return {paused, since: now};
  return before.paused === paused || now < before.since + PAUSE_SETTLE_MS ? before : {paused, since: now};
};

/** Milliseconds until a change that does not count yet will; undefined where there is none. */
export const pauseDueMs = (said: Pause, paused: boolean, now: number): number | undefined =>
  said.paused === paused ? undefined : Math.max(0, said.since + PAUSE_SETTLE_MS - now);
