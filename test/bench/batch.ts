import {quantity, type Section} from './figure.ts';
import {memorySection} from './memory.ts';
import {seconds, type Stage} from './stage.ts';

const count = 10;
const bootTimeoutMs = 300_000;

/** Ten machines at once, and what stands beside their guests once those have booted. */
export const measureBatch = async (stage: Stage, say: (doing: string) => void): Promise<readonly Section[]> => {
  const names = Array.from({length: count}, (_, index) => `batch-${index}`);
  say('ten bare pods in one go');
  const bare = await tenPods(stage);
  say('ten machines in one go');
  const began = performance.now();
  const running = Promise.all(names.map(name => stage.running(name)));
  for (const name of names) await stage.applyMachine(name);
  const last = Math.max(...(await running));
  const section: Section = {
    title: 'Ten machines in one go',
    how: 'from the first request to the watch event that says that the last one runs; each guest boots as soon as it runs, and takes its CPU from the rest',
    figures: [
      {
        what: '10 VMs applied → last Running',
        unit: 's',
        value: seconds(last - began),
        goal: 8,
        note: `10 bare pods created → last Ready: ${quantity(bare, 's')}`,
        why: 'under emulation the guests that run take the CPU from those that start',
      },
    ],
  };
  say('ten guests boot');
  await Promise.all(names.map(name => stage.booted(name, bootTimeoutMs)));
  const memory = await memorySection(stage, names);
  await stage.deleteMachines(names);
  return [section, memory];
};

/** In seconds, from the first request until the last of ten is ready. */
const tenPods = async (stage: Stage): Promise<number> => {
  const names = Array.from({length: count}, (_, index) => `bare-batch-${index}`);
  const began = performance.now();
  const ready = Promise.all(names.map(name => stage.podReady(name)));
  for (const name of names) await stage.createPod(name);
  const last = Math.max(...(await ready));
  await Promise.all(names.map(name => stage.deletePod(name)));
  return seconds(last - began);
};
