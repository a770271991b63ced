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

/** Why a guest does not run: somebody wants it so, or its engine stopped it when a disk failed. */
export type PauseCause = 'user' | 'ioError';

export interface Connected {
  /** Uid of the instance, in the launcher's own words. */
  readonly uid: string;
  /** Version of the protocol that both sides speak. */
  readonly protocol: number;
  readonly state: LauncherState;
  /** It has taken a plan of this daemon's: it cannot be idle any more. */
  readonly planned: boolean;
  /** Undefined while the guest runs. */
  readonly paused: PauseCause | undefined;
  /** A disk has failed in a way that stops the guest: the pause that follows is its engine's. */
  readonly diskFailed: boolean;
  readonly panicked: boolean;
  /** The guest agent has opened its channel. */
  readonly agent: boolean;
  /** The launcher's last words. */
  readonly ending: string | undefined;
}

export const connected = (
  hello: LauncherHello,
  status: LauncherStatus,
  planned: boolean,
): Connected & {readonly at: 'connected'} => ({
  at: 'connected',
  uid: hello.uid,
  protocol: hello.protocol,
  state: status.state,
  planned,
  paused: undefined,
  diskFailed: false,
  panicked: false,
  agent: false,
  ending: undefined,
});

/** The view after this event; the very same one where it changes nothing. */
export const afterEvent = (view: LauncherView, event: LauncherEvent | undefined): LauncherView => {
  if (view.at !== 'connected' || event === undefined) return view;
  switch (event.type) {
    case 'state':
      return afterState(view, event);
    case 'engine':
      return afterEngineEvent(view, event.qmp);
    case 'exited':
      return {...view, ending: `${event.outcome}: ${event.message}`};
    case 'lease':
      return view;
  }
};

/** Of a guest that was started paused no engine event tells that it is. None becomes idle again: that is a lie. */
const afterState = (
  view: LauncherView & {readonly at: 'connected'},
  {state, reason}: LauncherEvent & {readonly type: 'state'},
): LauncherView => {
  if (state === 'Idle') return view;
  const paused = state === 'Running' && reason === 'Paused' ? 'user' : view.paused;
  return view.state === state && view.paused === paused ? view : {...view, state, paused};
};

const afterEngineEvent = (
  view: LauncherView & {readonly at: 'connected'},
  {event, data}: {readonly event: string; readonly data?: object},
): LauncherView => {
  switch (event) {
    case 'STOP':
      return view.paused === undefined ? {...view, paused: view.diskFailed ? 'ioError' : 'user'} : view;
    case 'RESUME':
      return view.paused === undefined ? view : {...view, paused: undefined, diskFailed: false};
    case 'BLOCK_IO_ERROR':
      return isObject(data) && data['action'] === 'stop' && !view.diskFailed ? {...view, diskFailed: true} : view;
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

/** Whether and why the guest is said to be paused, and since when. */
export interface Pause {
  readonly paused: PauseCause | undefined;
  /** Local, in milliseconds. */
  readonly since: number;
}

/** A launcher that says STOP and RESUME in turns must not cause a write to the API each time. */
const PAUSE_SETTLE_MS = 1000;

/** What is said from now on: a change counts once the last one is old enough. The very same one where nothing changes. */
export const settledPause = (before: Pause | undefined, paused: PauseCause | undefined, now: number): Pause => {
  if (before === undefined) return {paused, since: now};
  return before.paused === paused || now < before.since + PAUSE_SETTLE_MS ? before : {paused, since: now};
};

/** Milliseconds until a change that does not count yet will; undefined where there is none. */
export const pauseDueMs = (said: Pause, paused: PauseCause | undefined, now: number): number | undefined =>
  said.paused === paused ? undefined : Math.max(0, said.since + PAUSE_SETTLE_MS - now);
