import {setTimeout as sleep} from 'node:timers/promises';
import {tinyKernelArgs} from '../support/guests.ts';
import {sum, type Writes, writesBetween} from './api-metrics.ts';
import type {Section} from './figure.ts';
import type {Stage} from './stage.ts';

const count = 5;
/** Events are written after what they tell. */
const settleMs = 3000;

/** It ends at a shell: an agent that answers would be told of as well, some seconds after the start. */
const silentGuest = {kernelArgs: `${tinyKernelArgs} rdinit=/bin/sh`};

/** What one start writes to the API: of a machine, and of a bare pod. */
export const measureWrites = async (stage: Stage, say: (doing: string) => void): Promise<readonly Section[]> => {
  const pods = Array.from({length: count}, (_, index) => `bare-writes-${index}`);
  const machines = Array.from({length: count}, (_, index) => `writes-${index}`);
  say('bare pods');
  const bare = await during(stage, async () => {
    for (const name of pods) {
      await stage.createPod(name);
      await stage.podReady(name);
    }
  });
  for (const name of pods) await stage.deletePod(name);
  say('machines');
  const started = await during(stage, async () => {
    for (const name of machines) {
      await stage.applyMachine(name, silentGuest);
      await stage.running(name);
    }
  });
  const events = (await stage.ownEvents('writes-')) / count;
  await stage.deleteMachines(machines);
  return [section(started, bare, events)];
};

/** Writes of the whole cluster while something is done, but for what goes on anyway. */
const during = async (stage: Stage, work: () => Promise<void>): Promise<Writes> => {
  await sleep(settleMs);
  const before = await stage.writes();
  await work();
  await sleep(settleMs);
  return writesBetween(before, await stage.writes());
};

/** The machine itself is the user's. */
const applied = 'APPLY virtualmachines';

/** Of what others write only the pod of a machine is the system's own. */
const isOwn = (key: string): boolean =>
  key !== applied && (/ virtualmachine/.test(key) || key === 'POST pods' || key.endsWith(' poddisruptionbudgets'));

const label = 'one is the label kubevirt.io/nodeName, by which users of KubeVirt select what runs on a node';

const background = / (leases|nodes|nodes\/status|endpointslices|endpoints)$/;

const section = (started: Writes, bare: Writes, events: number): Section => {
  const own = sum(started, isOwn) / count;
  const keys = [...new Set([...started.keys(), ...bare.keys()])].filter(key => !background.test(key)).toSorted();
  const each = (writes: Writes, key: string): string => String(Number(((writes.get(key) ?? 0) / count).toFixed(1)));
  return {
    title: 'API writes per start',
    how: `requests that write, by the API server’s own metrics, over ${count} starts one after the other of a guest without an agent; events by who wrote them`,
    figures: [
      {what: 'by the system itself, without events', unit: 'writes', value: own, goal: 8, why: label},
      {what: 'by the system itself, events included', unit: 'writes', value: own + events, goal: 12, why: label},
      {
        what: 'by everybody, the user, scheduler and kubelet included',
        unit: 'writes',
        value: sum(started, key => !background.test(key)) / count,
        note: `a bare pod: ${sum(bare, key => !background.test(key)) / count}`,
      },
    ],
    details: [
      ['write', 'a machine', 'a bare pod', 'by the system itself'],
      ...keys.map(key => [key, each(started, key), each(bare, key), ownText(key, started, events)]),
    ],
  };
};

const ownText = (key: string, started: Writes, events: number): string => {
  if (key === 'POST events') return String(events);
  return isOwn(key) ? String((started.get(key) ?? 0) / count) : '';
};
