import {quantity} from './figure.ts';
import {percentile} from './statistics.ts';

/** When each milestone of one run was passed, in seconds since it began. */
type Timeline<Milestone extends string> = Readonly<Record<Milestone, number>>;

/** What a start comes by, in order. */
export const startMilestones = [
  'instance made',
  'pod made',
  'pod has a node',
  'container runs',
  'handed over',
  'QEMU started',
  'guest runs',
] as const;

/** Since the request. */
export type Start = Timeline<(typeof startMilestones)[number]>;

/** What a recovery comes by, in order. */
export const recoveryMilestones = [
  'pod’s end reported',
  'run ended',
  'next instance made',
  'next container runs',
  'next guest runs',
] as const;

/** Since the kill. */
export type Recovery = Timeline<(typeof recoveryMilestones)[number]>;

/** The median of each milestone over all runs, as rows. */
export const milestoneRows = <Milestone extends string>(
  milestones: readonly Milestone[],
  timelines: readonly Timeline<Milestone>[],
): string[][] => milestones.map(milestone => [milestone, median(timelines, one => one[milestone])]);

/** Where the time of a start goes, out of the same runs. */
export const whyStart = (timelines: readonly Start[]): string => {
  const between = (from: keyof Start, to: keyof Start): string => median(timelines, one => one[to] - one[from]);
  return (
    `by p50, the pod is made after ${median(timelines, one => one['pod made'])}, its container runs ${between('pod made', 'container runs')} later, ` +
    `QEMU is started ${between('container runs', 'QEMU started')} after that, and is up and reported after ${between('QEMU started', 'guest runs')} more`
  );
};

/** Where the time of a recovery goes, out of the same runs. */
export const whyRecovery = (timelines: readonly Recovery[]): string => {
  const between = (from: keyof Recovery, to: keyof Recovery): string => median(timelines, one => one[to] - one[from]);
  return (
    `by p50, the pod’s end is reported ${median(timelines, one => one['pod’s end reported'])} after the kill, the next run is made ` +
    `${between('pod’s end reported', 'next instance made')} later, and its start takes ${between('next instance made', 'next guest runs')}`
  );
};

function median<One>(timelines: readonly One[], value: (one: One) => number): string {
  return quantity(percentile(timelines.map(value), 0.5), 's');
}
