import {setTimeout as sleep} from 'node:timers/promises';
import {sum, type Writes, writesBetween} from './api-metrics.ts';
import {quantity, type Section} from './figure.ts';
import type {Stage} from './stage.ts';

const MiB = 1024 * 1024;
const windowMs = 60_000;

/** The control plane with nothing to do. */
export const measureIdle = async (stage: Stage, say: (doing: string) => void): Promise<readonly Section[]> => {
  const pods = await stage.systemPods();
  say('a minute in which nothing happens');
  const writes = await idleWrites(stage);
  const uses = await Promise.all(
    pods.map(async ({metadata}) => {
      const processes = await stage.node.processes(metadata.uid ?? '');
      const sum = processes.reduce((total, {proportional}) => total + proportional, 0);
      return {name: metadata.name ?? '', pss: sum / MiB};
    }),
  );
  return [
    {
      title: 'Control plane, idle',
      how: 'proportional set size of all processes of all its pods, no machine in the cluster; writes over one minute',
      figures: [
        {
          what: `PSS of all ${pods.length} pods`,
          unit: 'MiB',
          value: uses.reduce((total, {pss}) => total + pss, 0),
          goal: 350,
        },
        writesFigure('writes but Leases, no machine', writes),
      ],
      details: [
        ['pod', 'PSS'],
        ...uses.map(({name, pss}) => [name, quantity(pss, 'MiB')]),
        ...writeRows(writes).map(([key = '', times]) => [key, `${times} in a minute`]),
      ],
    },
  ];
};

/** What is written in a minute in which nobody does anything. */
export interface IdleWrites {
  readonly all: Writes;
  /** Events by Wherry. */
  readonly events: number;
}

export const idleWrites = async (stage: Stage): Promise<IdleWrites> => {
  const look = async () => ({all: await stage.writes(), events: await stage.ownEvents()});
  const before = await look();
  await sleep(windowMs);
  const after = await look();
  return {all: writesBetween(before.all, after.all), events: after.events - before.events};
};

/**
 * Wherry has no right to write the status of pods and nodes: it is the kubelets' to tell about nodes every few minutes, and
 * about each pod with an image volume whenever they look at it, by an event `Pulled` as well.
 */
const isOthers = (key: string): boolean => / (leases|nodes\/status|pods\/status|events)$/.test(key);

export const writesFigure = (what: string, {all, events}: IdleWrites): Section['figures'][number] => ({
  what,
  unit: 'writes/min',
  value: sum(all, key => !isOthers(key)) + events,
  goal: 0,
  note: `besides ${sum(all, key => key.endsWith(' leases'))} of Leases, Kubernetes’ own included, and what only kubelets write`,
});

/** What was written, and how often. */
export const writeRows = ({all}: IdleWrites): string[][] => [...all].map(([key, count]) => [key, String(count)]);
