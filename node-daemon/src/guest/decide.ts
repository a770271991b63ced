/** What is to be done about one guest. Pure. */
import {InstanceCondition, isFinal, Phase, type VirtualMachineInstance} from '@wherry/api';
import type {LauncherView} from './launcher-view.ts';
import {type PauseCommand, pauseCommand} from './pausing.ts';

/** Everything that a decision about one guest may look at. */
export interface World {
  /** Undefined once it is gone from the API. */
  readonly vmi: VirtualMachineInstance | undefined;
  /** The pod of the run on this node. */
  readonly podUid: string | undefined;
  readonly launcher: LauncherView;
  /** A guest that a failed disk stopped should be let run on, to see whether it can. */
  readonly ioRetryDue: boolean;
}

export type Step =
  /** Nothing of it is ours any more: close what is open. */
  | {readonly do: 'forget'}
  /** Its turn comes with an event, or after so many milliseconds. */
  | {readonly do: 'wait'; readonly afterMs?: number}
  /** Hand the plan to the launcher. */
  | {readonly do: 'start'}
  /** Say in its status what is true of the running guest, after it was told to pause or to go on, if it must be told. */
  | {readonly do: 'reportRunning'; readonly command?: PauseCommand}
  /** Say that no engine of this run lives, nor ever will. */
  | {readonly do: 'reportGone'; readonly why: 'EngineExited' | 'PodGone'; readonly message: string}
  /** Something that should not be: nothing is touched, and a person must look. */
  | {readonly do: 'complain'; readonly message: string};

/** How often a launcher that does not listen yet is looked for: it takes some milliseconds from its start. */
const COMING_MS = 100;
/** How often one that has fallen silent is looked for. */
const SILENT_MS = 1000;
/** While a launcher works on a start, its events tell; this is for an event that was lost. */
const STARTING_MS = 2000;
/**
 * The operator usually learns from the pod's exit code that the run is over, and says how. Only where it does not, for
 * the pod object is gone, is the daemon's word needed; that long it leaves it to the operator.
 */
export const GONE_GRACE_MS = 1000;

export const decide = ({vmi, podUid, launcher, ioRetryDue}: World, now: number): Step => {
  if (vmi === undefined || isFinal(vmi.status?.phase) || engineIsOver(vmi)) return {do: 'forget'};
  if (podUid === undefined) return {do: 'wait'};
  switch (launcher.at) {
    case 'unknown':
    case 'silent':
      return {do: 'wait', afterMs: vmi.status?.phase === Phase.Running ? SILENT_MS : COMING_MS};
    case 'gone': {
      const left = launcher.since + GONE_GRACE_MS - now;
      if (left > 0) return {do: 'wait', afterMs: left};
      return {do: 'reportGone', why: launcher.why, message: launcher.message};
    }
    case 'connected':
      return withLauncher(vmi, launcher, ioRetryDue);
  }
};

/** This daemon, or an earlier one, has said that the run has no engine. It holds for ever: nothing is started again. */
const engineIsOver = (vmi: VirtualMachineInstance): boolean =>
  vmi.status?.conditions?.some(({type, status}) => type === InstanceCondition.EngineActive && status === 'False') ===
  true;

/** Also of a guest whose node was given up for a while: its phase is Unknown. */
export const hasRun = (vmi: VirtualMachineInstance): boolean =>
  vmi.status?.phase === Phase.Running ||
  vmi.status?.conditions?.some(({type, status}) => type === InstanceCondition.EngineActive && status !== 'False') ===
    true;

const withLauncher = (
  vmi: VirtualMachineInstance,
  launcher: LauncherView & {readonly at: 'connected'},
  ioRetryDue: boolean,
): Step => {
  if (launcher.uid !== vmi.metadata.uid)
    return {
      do: 'complain',
      message: `the pod of the guest has a launcher that serves another instance, ${launcher.uid}`,
    };
  switch (launcher.state) {
    case 'Idle':
      // One that is being deleted gets no engine: its launcher ends with the pod.
      if (vmi.metadata.deletionTimestamp !== undefined) return {do: 'wait'};
      if (hasRun(vmi))
        return {do: 'complain', message: 'the guest was running, but its launcher says that none was started'};
      // It would be handed over again and again for as long as its launcher says so.
      if (launcher.planned)
        return {do: 'complain', message: 'the launcher of the guest took its plan, and says now that it has none'};
      return {do: 'start'};
    case 'Preparing':
    case 'Starting':
      return {do: 'wait', afterMs: STARTING_MS};
    case 'Running': {
      const command = pauseCommand(vmi, launcher.paused, ioRetryDue);
      return command === undefined ? {do: 'reportRunning'} : {do: 'reportRunning', command};
    }
    case 'Stopping':
      return {do: 'wait'};
  }
};
