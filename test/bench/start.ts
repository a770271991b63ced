import {podNameOf} from '@wherry/api';
import {quantity, type Section} from './figure.ts';
import {seconds, type Stage} from './stage.ts';
import {percentile} from './statistics.ts';

/** How many of each, one after the other. */
const rounds = 20;

/** What a start comes by, in order. */
const milestones = [
  'instance made',
  'pod made',
  'pod has a node',
  'container runs',
  'handed over',
  'guest runs',
] as const;

/** In seconds since the request. */
type Timeline = Record<(typeof milestones)[number], number>;

interface Times {
  readonly pod: number[];
  readonly machine: number[];
  readonly gone: number[];
  readonly timelines: Timeline[];
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

const timeMachine = async (
  stage: Stage,
  name: string,
): Promise<{started: number; gone: number; timeline: Timeline}> => {
  const began = performance.now();
  const following = follow(stage, name, began);
  await stage.applyMachine(name);
  const timeline = await following;
  const pod = await stage.podOf(name);
  const deleted = performance.now();
  await stage.deleteMachine(name);
  const gone = await stage.gone(name, pod.metadata.name ?? '');
  return {started: timeline['guest runs'], gone: seconds(gone - deleted), timeline};
};

const follow = async ({instances, pods}: Stage, name: string, began: number): Promise<Timeline> => {
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
  return {
    title: 'Start',
    how: 'from the request that applies a machine to the watch event that says Running, and from the request that creates a bare pod to the one that says Ready; one of each in turn, nothing else running',
    figures: [
      {what: 'apply → Running, p50', unit: 's', value: p50.value, goal: p50.goal, note: note(p50)},
      {what: 'apply → Running, p95', unit: 's', value: p95.value, goal: p95.goal, note: note(p95)},
    ],
    details: [
      ['what a start comes by', 'p50'],
      ...milestones.map(milestone => [
        milestone,
        quantity(
          percentile(
            timelines.map(timeline => timeline[milestone]),
            0.5,
          ),
          's',
        ),
      ]),
    ],
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
