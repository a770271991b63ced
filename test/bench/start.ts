import {podNameOf} from '@wherry/api';
import {engineOf} from '../support/node/beside.ts';
import type {Section} from './figure.ts';
import {seconds, type Stage} from './stage.ts';
import {percentile} from './statistics.ts';
import {milestoneRows, type Start, startMilestones, whyStart} from './timeline.ts';

/** How many of each, one after the other. */
const rounds = 20;

interface Times {
  readonly pod: number[];
  readonly machine: number[];
  readonly gone: number[];
  readonly timelines: Start[];
}

/** A machine's start beside that of a bare pod in the same minute, and its end when there is nothing to shut down. */
export const measureStart = async (stage: Stage, say: (doing: string) => void): Promise<readonly Section[]> => {
  const times: Times = {pod: [], machine: [], gone: [], timelines: []};
  // The first of each reads images and starts programs from a cold cache, and is not counted.
  for (let round = 0; round <= rounds; round += 1) {
    say(`${round} of ${rounds}`);
    const pod = await timePod(stage, `bare-${round}`);
    const machine = await timeMachine(stage, `start-${round}`);
    if (round === 0) continue;
    times.pod.push(pod);
    times.machine.push(machine.started);
    times.gone.push(machine.gone);
    times.timelines.push(machine.timeline);
  }
  return [starts(times), ends(times)];
};

const timePod = async (stage: Stage, name: string): Promise<number> => {
  const began = performance.now();
  await stage.createPod(name);
  const ready = await stage.podReady(name);
  await stage.deletePod(name);
  return seconds(ready - began);
};

const timeMachine = async (stage: Stage, name: string): Promise<{started: number; gone: number; timeline: Start}> => {
  const began = performance.now();
  const following = follow(stage, name, began);
  await stage.applyMachine(name);
  const followed = await following;
  const pod = await stage.podOf(name);
  const engine = engineOf(await stage.node.processes(pod.metadata.uid ?? ''));
  const timeline = {...followed, 'QEMU started': seconds(engine.startedAt - performance.timeOrigin - began)};
  const deleted = performance.now();
  await stage.deleteMachine(name);
  const gone = await stage.gone(name, pod.metadata.name ?? '');
  return {started: timeline['guest runs'], gone: seconds(gone - deleted), timeline};
};

const follow = async ({instances, pods}: Stage, name: string, began: number): Promise<Omit<Start, 'QEMU started'>> => {
  const since = (at: number): number => seconds(at - began);
  const handedOver = instances.when(name, vmi => vmi?.status?.nodeName !== undefined);
  const runs = instances.when(name, vmi => vmi?.status?.phase === 'Running');
  const made = await instances.when(name, vmi => vmi !== undefined);
  const pod = podNameOf(name, instances.get(name)?.metadata.uid ?? '');
  const [podMade, scheduled, container] = await Promise.all([
    pods.when(pod, one => one !== undefined),
    pods.when(pod, one => one?.spec?.nodeName !== undefined),
    pods.when(pod, one => one?.status?.containerStatuses?.[0]?.state?.running !== undefined),
  ]);
  return {
    'instance made': since(made),
    'pod made': since(podMade),
    'pod has a node': since(scheduled),
    'container runs': since(container),
    'handed over': since(await handedOver),
    'guest runs': since(await runs),
  };
};

const note = ({bare, value}: {readonly bare: number; readonly value: number}): string =>
  `bare pod ${bare.toFixed(2)} s, so ${(value - bare).toFixed(2)} s more; n = ${rounds}`;

const starts = ({pod, machine, timelines}: Times): Section => {
  const at = (share: number, more: number) => {
    const bare = percentile(pod, share);
    return {value: percentile(machine, share), goal: bare + more, bare};
  };
  const [p50, p95] = [at(0.5, 0.3), at(0.95, 0.6)];
  const why = whyStart(timelines);
  return {
    title: 'Start',
    how: 'from the request that applies a machine to the watch event that says Running, and from the request that creates a bare pod to the one that says Ready; one of each in turn, nothing else running',
    figures: [
      {what: 'apply → Running, p50', unit: 's', value: p50.value, goal: p50.goal, note: note(p50), why},
      {what: 'apply → Running, p95', unit: 's', value: p95.value, goal: p95.goal, note: note(p95), why},
    ],
    details: [['what a start comes by', 'p50'], ...milestoneRows(startMilestones, timelines)],
  };
};

const ends = ({gone}: Times): Section => ({
  title: 'End',
  how: 'from the request that deletes a machine until machine, instance and pod are gone; the guest has no grace period, so all of it is the system’s',
  figures: [
    {what: 'delete → gone, p50', unit: 's', value: percentile(gone, 0.5), goal: 1, note: `n = ${rounds}`},
    {what: 'delete → gone, p95', unit: 's', value: percentile(gone, 0.95)},
  ],
});
