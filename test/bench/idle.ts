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
export const idleWrites = async (stage: Stage): Promise<Writes> => {
  const before = await stage.writes();
  await sleep(windowMs);
  return writesBetween(before, await stage.writes());
};

/** The kubelets tell about their nodes every few minutes. */
const isOthers = (key: string): boolean => / (leases|nodes\/status)$/.test(key);

export const writesFigure = (what: string, writes: Writes): Section['figures'][number] => ({
  what,
  unit: 'writes/min',
  value: sum(writes, key => !isOthers(key)),
  goal: 0,
  note: `${sum(writes, key => key.endsWith(' leases'))} of Leases, Kubernetes’ own included`,
});

/** What was written, and how often. */
export const writeRows = (writes: Writes): string[][] => [...writes].map(([key, count]) => [key, String(count)]);
