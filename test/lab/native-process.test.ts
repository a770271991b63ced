/** The process of a guest of the native engine: what it may do, and what it leaves when it is gone. */
import {mkdtemp, rm, stat, writeFile} from 'node:fs/promises';
import {constants, tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from '@jest/globals';
import {progress} from '../../scripts/core/progress.ts';
import {Lab} from './harness/lab.ts';
import type {Cycles, Held} from './harness/native/cycles.ts';
import {haltingKernel} from './harness/native/halting-kernel.ts';
import {nativeFiles, runScenario} from './harness/native/guest.ts';
import type {Step} from './harness/native/scenario.ts';

const CYCLES = 200;
const CYCLES_MS = 400_000;
const SCENARIO_MS = 120_000;
/** Some 30 KiB are a thread's kernel stack and structures: less than that a guest. */
const LEAK_KIB = 25;
const DATA = '/var/tmp/data';

/** A thread of each class, by its name. */
const threads = {control: 'wherry-vmm', vcpu: 'vcpu1', net: 'net0', block: 'block1', rng: 'rng2'};

let scratch: string;
let lab: Lab;
let files: Record<string, string>;

beforeAll(async () => {
  const log = progress();
  scratch = await mkdtemp(join(tmpdir(), 'wherry-native-process-'));
  const halting = join(scratch, 'halting');
  await writeFile(halting, haltingKernel());
  files = {...(await nativeFiles(log, scratch)), halting};
  lab = await Lab.boot({name: 'native-process', files, progress: log});
  await lab.run(['truncate', '-s', '8M', DATA]);
}, 900_000);

afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
  await rm(scratch, {recursive: true, force: true});
});

/** What comes of system calls that a thread of a guest is made to make, one that is on each list and one that is on none. */
const made = async (thread: string): Promise<readonly unknown[]> => {
  const steps: Step[] = [
    {event: 'RESUME'},
    {inject: {thread, call: 'madvise'}},
    {command: 'query-status'},
    {inject: {thread, call: 'openat'}},
    {ended: true},
  ];
  const devices = [
    {kind: 'net', name: 'net', tap: 'tap0', mac: '02:00:00:00:00:09'},
    {kind: 'block', name: 'disk', path: DATA},
    {kind: 'rng'},
  ];
  const machine = {kernel: '/payload/halting', commandLine: '', memoryMiB: 64, cpus: 2};
  const outcome = await runScenario(lab, thread, {...machine, devices, steps}, SCENARIO_MS);
  expect(outcome).not.toHaveProperty('problem');
  return outcome.results.slice(1);
};

test.each(Object.entries(threads))(
  'a system call that is not on the list of a thread for %s ends the process, and one that is on it does not',
  async (_, thread) => {
    const killed = `ended by signal ${constants.signals.SIGSYS}`;
    expect(await made(thread)).toEqual(['went on', {running: true, status: 'running'}, killed, 'SIGSYS']);
  },
  SCENARIO_MS,
);

/** In KiB. */
const kept = ({memory, own}: Held): number => Object.values(memory).reduce((sum, kib) => sum + kib, 0) - own;

test('the program has 5 MiB at most', async () => {
  expect((await stat(files['wherry-vmm'] ?? '')).size).toBeLessThanOrEqual(5 * 1024 ** 2);
});

test(
  `${CYCLES} guests that come and go leave nothing behind in their node`,
  async () => {
    const outcome = '/run/cycles.json';
    const program = ['cycles.mjs', '/payload/wherry-vmm', '/payload/halting', DATA, String(CYCLES), outcome];
    const ended = await lab.run(['sh', '-c', 'cd /payload/native && exec node "$@"', 'sh', ...program], {
      timeoutMs: CYCLES_MS,
    });
    expect(ended).toMatchObject({status: 0, stderr: ''});
    const {held, milliseconds} = JSON.parse((await lab.read(outcome)).toString()) as Cycles;
    console.log(`${milliseconds} ms each; ${JSON.stringify(held)}`);
    const [before, between, after] = held;
    // What is lost with each guest is lost in both halves; what the kernel does meanwhile, and how it counts, is not.
    const grown = (of: (held: Held) => number): number => Math.min(of(between) - of(before), of(after) - of(between));
    expect(grown(({files}) => files)).toBeLessThan(CYCLES / 4);
    expect(after.threads - before.threads).toBeLessThan(CYCLES / 10);
    expect(grown(kept)).toBeLessThan((CYCLES / 2) * LEAK_KIB);
  },
  CYCLES_MS + 60_000,
);
