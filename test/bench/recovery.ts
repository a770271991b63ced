import {engineOf} from '../support/node/beside.ts';
import type {Section} from './figure.ts';
import {seconds, type Stage} from './stage.ts';
import {percentile} from './statistics.ts';

const rounds = 5;

/** A QEMU that dies, as when the kernel kills it for memory. */
export const measureRecovery = async (stage: Stage, say: (doing: string) => void): Promise<readonly Section[]> => {
  const name = 'killed';
  await stage.applyMachine(name);
  await stage.running(name);
  const times: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    say(`${round} of ${rounds}`);
    times.push(await timeRecovery(stage, name));
  }
  await stage.deleteMachines([name]);
  return [
    {
      title: 'QEMU killed',
      how: 'from SIGKILL to the watch event that says that the machine’s next run is Running',
      figures: [
        {what: 'killed → Running again, p50', unit: 's', value: percentile(times, 0.5), goal: 2, note: `n = ${rounds}`},
        {what: 'killed → Running again, worst', unit: 's', value: percentile(times, 1)},
      ],
    },
  ];
};

const timeRecovery = async (stage: Stage, name: string): Promise<number> => {
  const before = stage.instances.get(name)?.metadata.uid;
  const pod = await stage.podOf(name);
  const engine = engineOf(await stage.node.processes(pod.metadata.uid ?? ''));
  const killed = performance.now();
  await stage.node.exec('kill', '-9', String(engine.pid));
  const again = await stage.instances.when(
    name,
    vmi => vmi?.metadata.uid !== before && vmi?.status?.phase === 'Running',
  );
  return seconds(again - killed);
};
