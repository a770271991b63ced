/** What the daemon writes into an instance's status. Pure: status before + facts → the fields that change. */
import {isDeepStrictEqual} from 'node:util';
import {
  type Condition,
  GUEST_PAUSED,
  type GuestOsInfo,
  InstanceCondition,
  type InstanceStatus,
  type InterfaceStatus,
  Phase,
  quantityOfBytes,
  Reason,
  type VolumeStatus,
} from '@wherry/api';
import type {FailedDisk} from '../engine/engine.ts';
import type {EffectiveMachine} from '../machine/effective-machine.ts';
import type {PauseCause} from './launcher-view.ts';
import {hangVerdict} from './hanging.ts';
import {pausedVerdict} from './pausing.ts';
import {timestamp, type Verdict, withCondition, withoutCondition} from './conditions.ts';

/** What the guest agent says. */
export interface AgentFacts {
  readonly os: GuestOsInfo;
  /** Name of an interface in the guest, by its MAC address. */
  readonly interfaceNames: ReadonlyMap<string, string>;
}

/** What is true of a guest that runs. */
export interface RunningFacts {
  readonly machine: EffectiveMachine;
  readonly machineType: string;
  readonly engine: {readonly name: 'qemu' | 'native'; readonly version: string; readonly reason: string};
  /** Of the pod, without prefix length: with masquerade they are what the guest is reached by. */
  readonly podAddresses: readonly string[];
  /** Why it does not run, where it is paused. */
  readonly paused: PauseCause | undefined;
  /** A readiness probe asks the guest whether it is ready: that it runs says nothing yet. */
  readonly probed: boolean;
  /** Why that is so, where a disk failed. */
  readonly failedDisks: readonly FailedDisk[];
  /** Its engine does not answer. */
  readonly hangs: boolean;
  /** Undefined while no agent answers; `asked` while it is not known, and what was said of it stays. */
  readonly agent: AgentFacts | 'asked' | undefined;
}

/** The top-level fields of the status that change; undefined when it says all of this already. */
export const runningStatus = (
  before: InstanceStatus | undefined,
  facts: RunningFacts,
  now: number,
): InstanceStatus | undefined => {
  const {machine} = facts;
  const memory = quantityOfBytes(machine.memoryBytes);
  const volumeStatus = volumes(before?.volumeStatus, machine);
  return changes(before, {
    phase: Phase.Running,
    phaseTransitionTimestamps: transitions(before, now),
    interfaces: machine.interfaces.map(one => interfaceStatus(one, facts, before?.interfaces)),
    ...(volumeStatus === undefined ? {} : {volumeStatus}),
    ...(typeof facts.agent === 'object' ? {guestOSInfo: facts.agent.os} : {}),
    engine: facts.engine,
    machine: {type: facts.machineType},
    memory: {...before?.memory, guestAtBoot: memory, guestCurrent: memory, guestRequested: memory},
    currentCPUTopology: machine.topology,
    conditions: runningConditions(before?.conditions ?? [], facts, now),
  });
};

/** The one field that says that no engine of this run lives any more. */
export const goneStatus = (
  before: InstanceStatus | undefined,
  reason: 'EngineExited' | 'PodGone',
  message: string,
  now: number,
): InstanceStatus | undefined => {
  const verdict: Verdict = {type: InstanceCondition.EngineActive, status: 'False', reason: Reason[reason], message};
  return changes(before, {conditions: withCondition(before?.conditions ?? [], verdict, now)});
};

/** The one field that says that the engine does not answer. */
export const hungStatus = (before: InstanceStatus | undefined, now: number): InstanceStatus | undefined =>
  changes(before, {conditions: withCondition(before?.conditions ?? [], hangVerdict, now)});

/** Why a guest that was handed over does not start. */
export const blockedStatus = (
  before: InstanceStatus | undefined,
  message: string,
  now: number,
): InstanceStatus | undefined => {
  const verdict: Verdict = {
    type: InstanceCondition.Synchronized,
    status: 'False',
    reason: Reason.StartFailed,
    message,
  };
  return changes(before, {conditions: withCondition(before?.conditions ?? [], verdict, now)});
};

const changes = (before: InstanceStatus | undefined, after: InstanceStatus): InstanceStatus | undefined => {
  const changed = Object.entries(after).filter(
    ([field, value]) => !isDeepStrictEqual(value, before?.[field as keyof InstanceStatus]),
  );
  return changed.length === 0 ? undefined : (Object.fromEntries(changed) as InstanceStatus);
};

const transitions = (
  before: InstanceStatus | undefined,
  now: number,
): NonNullable<InstanceStatus['phaseTransitionTimestamps']> => {
  const known = before?.phaseTransitionTimestamps ?? [];
  return known.some(({phase}) => phase === Phase.Running)
    ? known
    : [...known, {phase: Phase.Running, phaseTransitionTimestamp: timestamp(now)}];
};

const interfaceStatus = (
  one: EffectiveMachine['interfaces'][number],
  {podAddresses, agent}: RunningFacts,
  before: readonly InterfaceStatus[] | undefined,
): InterfaceStatus => {
  const [ipAddress] = podAddresses;
  const interfaceName =
    agent === 'asked' ? before?.find(({name}) => name === one.name)?.interfaceName : agent?.interfaceNames.get(one.mac);
  return {
    name: one.name,
    mac: one.mac,
    ...(ipAddress === undefined ? {} : {ipAddress, ipAddresses: podAddresses}),
    ...(interfaceName === undefined ? {} : {interfaceName}),
    podInterfaceName: 'eth0',
    infoSource: interfaceName === undefined ? 'domain' : 'domain, guest-agent',
    linkState: one.isLinkUp ? 'up' : 'down',
    queueCount: 1,
  };
};

/** The operator's entries about claims stay; ours are the device names. */
const volumes = (
  before: readonly VolumeStatus[] | undefined,
  {disks}: EffectiveMachine,
): readonly VolumeStatus[] | undefined => {
  if (disks.length === 0) return undefined;
  const known = before ?? [];
  const ours = (name: string) => disks.find(disk => disk.name === name);
  return [
    ...known.map(status => {
      const disk = ours(status.name);
      return disk === undefined ? status : {...status, target: disk.target, phase: 'Ready' as const};
    }),
    ...disks
      .filter(({name}) => !known.some(status => status.name === name))
      .map(({name, target}): VolumeStatus => ({name, target, phase: 'Ready'})),
  ];
};

const ready: Verdict = {type: InstanceCondition.Ready, status: 'True', reason: Reason.GuestRunning};

/** As the operator says it. */
const notReady: Verdict = {
  type: InstanceCondition.Ready,
  status: 'False',
  reason: Reason.GuestPaused,
  message: GUEST_PAUSED,
};

const runningConditions = (
  before: readonly Condition[],
  {paused, failedDisks, hangs, probed, agent}: RunningFacts,
  now: number,
): readonly Condition[] => {
  const {EngineActive, AgentConnected, Paused, Synchronized} = InstanceCondition;
  const active: Verdict = {type: EngineActive, status: 'True', reason: Reason.EngineStarted};
  const answers: Verdict = {type: AgentConnected, status: 'True', reason: Reason.AgentAnswers};
  const wasRunning = before.some(({type}) => type === EngineActive);
  let list = withCondition(before, hangs ? hangVerdict : active, now);
  // From then on its pod and its pauses decide whether it is ready, and that is the operator's to say.
  if (!wasRunning && paused !== undefined) list = withCondition(list, notReady, now);
  else if (!wasRunning && !probed) list = withCondition(list, ready, now);
  list = withoutCondition(list, Synchronized);
  list =
    paused === undefined
      ? withoutCondition(list, Paused)
      : withCondition(list, pausedVerdict({paused, failedDisks}), now);
  if (agent === 'asked') return list;
  if (agent !== undefined) return withCondition(list, answers, now);
  return list.some(({type}) => type === AgentConnected)
    ? withCondition(list, {type: AgentConnected, status: 'False', reason: Reason.AgentSilent}, now)
    : list;
};
