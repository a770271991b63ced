import {podNameOf} from '@wherry/api';
import {engineOf} from '../support/node/beside.ts';
import type {Section} from './figure.ts';
import {seconds, type Stage} from './stage.ts';
import {percentile} from './statistics.ts';
import {milestoneRows, type Recovery, recoveryMilestones, whyRecovery} from './timeline.ts';

const rounds = 5;

/** A QEMU that dies, as when the kernel kills it for memory. */
export const measureRecovery = async (stage: Stage, say: (doing: string) => void): Promise<readonly Section[]> => {
  const name = 'killed';
  await stage.applyMachine(name);
  await stage.running(name);
  const timelines: Recovery[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    say(`${round} of ${rounds}`);
    timelines.push(await timeRecovery(stage, name));
  }
  await stage.deleteMachines([name]);
  return [section(timelines)];
};

const section = (timelines: readonly Recovery[]): Section => {
  const times = timelines.map(one => one['next guest runs']);
  return {
    title: 'QEMU killed',
    how: 'from SIGKILL to the watch event that says that the machine’s next run is Running',
    figures: [
      {
        what: 'killed → Running again, p50',
        unit: 's',
        value: percentile(times, 0.5),
        goal: 2,
        note: `n = ${rounds}`,
        why: whyRecovery(timelines),
      },
      {what: 'killed → Running again, worst', unit: 's', value: percentile(times, 1)},
    ],
    details: [['what a recovery comes by', 'p50'], ...milestoneRows(recoveryMilestones, timelines)],
  };
};

const timeRecovery = async (stage: Stage, name: string): Promise<Recovery> => {
  const {instances, pods} = stage;
  const before = instances.get(name)?.metadata.uid;
  const pod = await stage.podOf(name);
  const engine = engineOf(await stage.node.processes(pod.metadata.uid ?? ''));
  const reported = pods.when(
    pod.metadata.name ?? '',
    one => one?.status?.containerStatuses?.[0]?.state?.running === undefined,
  );
  const ended = instances.when(
    name,
    vmi => vmi?.metadata.uid !== before || vmi?.status?.phase === 'Failed' || vmi?.status?.phase === 'Succeeded',
  );
  const again = instances.when(
    name,
    vmi => vmi !== undefined && vmi.metadata.uid !== before && vmi.status?.phase === 'Running',
  );
  const killed = performance.now();
  await stage.node.exec('kill', '-9', String(engine.pid));
  const since = (at: number): number => seconds(at - killed);
  const made = await instances.when(name, vmi => vmi !== undefined && vmi.metadata.uid !== before);
  const next = podNameOf(name, instances.get(name)?.metadata.uid ?? '');
  const container = await pods.when(next, one => one?.status?.containerStatuses?.[0]?.state?.running !== undefined);
  return {
    'pod’s end reported': since(await reported),
    'run ended': since(await ended),
    'next instance made': since(made),
    'next container runs': since(container),
    'next guest runs': since(await again),
  };
};
