/** The ends that a guest may come to, and what is said of each. */
import assert from 'node:assert/strict';
import type {Guest} from '../guest.ts';
import type {Story} from '../story.ts';

/** The end is in the exit code of the container, and in the status. */
const endsWith = async (guest: Guest, code: number): Promise<void> => {
  assert.equal(await guest.pod.exited, code);
  await guest.over();
};

const boots = {
  name: 'it boots',
  run: async (guest: Guest): Promise<void> => {
    await guest.running();
    await guest.login();
  },
};

const runs = {name: 'it runs', run: (guest: Guest): Promise<void> => guest.running()};

export const ends: readonly Story[] = [
  {
    name: 'a guest with two vCPUs that switches itself off',
    guest: {domain: {cpu: {cores: 2}, memory: {guest: '128Mi'}}},
    steps: [
      boots,
      {
        name: 'it has both, each with a thread of its own',
        run: async guest => {
          assert.equal(await guest.shell('grep -c ^processor /proc/cpuinfo'), '2');
          const threads = (await guest.engine.stats()).vcpuThreads.map(({thread}) => thread);
          assert.equal(new Set(threads).size, 2);
        },
      },
      {
        name: 'it ends its engine when it powers off',
        run: async guest => {
          guest.pod.type('poweroff\n');
          await endsWith(guest, 0);
        },
      },
    ],
  },
  {
    name: 'a guest that panics',
    steps: [
      boots,
      {
        name: 'it ends its engine, and is said to have panicked',
        run: async guest => {
          // A panic rings the bell only where the guest does not reboot at once.
          guest.pod.type('echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger\n');
          await endsWith(guest, 30);
        },
      },
    ],
  },
  {
    name: 'a guest whose engine is killed',
    steps: [
      runs,
      {
        name: 'kill -9 of the engine ends the pod, which is reported',
        run: async guest => {
          process.kill(await guest.enginePid(), 'SIGKILL');
          await endsWith(guest, 31);
        },
      },
    ],
  },
  {
    name: 'a guest that is stopped the hard way',
    steps: [
      runs,
      {
        name: 'it is killed at once where there is no grace',
        run: async guest => {
          await guest.engine.kill();
          await endsWith(guest, 21);
        },
      },
    ],
  },
  {
    name: 'a guest whose pod is deleted',
    steps: [
      boots,
      {
        name: 'the end of the pod presses its power button',
        run: async guest => {
          await guest.pod.terminate();
          await endsWith(guest, 20);
        },
      },
    ],
  },
  {
    name: 'a guest whose pod dies',
    steps: [
      runs,
      {
        name: 'its engine is gone with the pod',
        run: async guest => {
          const engine = await guest.enginePid();
          await guest.pod.kill();
          await guest.over();
          assert.throws(() => process.kill(engine, 0));
        },
      },
    ],
  },
];
