import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {mkdir, mkdtemp, rename, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Registry} from 'prom-client';
import {ManualClock} from '../testing/manual-clock.ts';
import {MemoryLog} from '../testing/memory-log.ts';
import {fixed, LiveFile} from './live-file.ts';

let folder: string;
let path: string;
let clock: ManualClock;
let log: MemoryLog;
let registry: Registry;
let stop: AbortController;
let running: Promise<void> | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'live-file-'));
  path = join(folder, 'config.json');
  [clock, log, registry, stop] = [new ManualClock(), new MemoryLog(), new Registry(), new AbortController()];
  running = undefined;
});

afterEach(async () => {
  stop.abort();
  await running;
  await rm(folder, {recursive: true});
});

const parse = (text: string): number => {
  const value = Number(text);
  if (Number.isNaN(value)) throw new Error(`${text} is no number`);
  return value;
};

/** At once, as the kubelet swaps what it mounts: a reader never sees half of it. */
const put = async (text: string): Promise<void> => {
  await writeFile(`${path}.next`, text);
  await rename(`${path}.next`, path);
};

const open = async (text: string): Promise<LiveFile<number>> => {
  await put(text);
  const file = new LiveFile({path, parse, metric: 'test_config', log, registry, clock});
  running = file.run(stop.signal);
  return file;
};

/** Until the file has been looked at and what follows from it has happened: reads take their own time. */
const looked = async (done: () => boolean): Promise<void> => {
  for (let tries = 0; tries < 500 && !done(); tries += 1) {
    await clock.advance(2000);
    await new Promise(resolve => setTimeout(resolve, 1));
  }
  expect(done()).toBe(true);
};

const metric = async (name: string): Promise<number | undefined> =>
  (await registry.getSingleMetric(`test_config_${name}`)?.get())?.values[0]?.value;

test('a value that stays is there and never changes', () => {
  const live = fixed(7);
  live.onChange(() => expect(true).toBe(false));
  live.onRefused(() => expect(true).toBe(false));
  expect(live.current).toBe(7);
});

test('the first value is there at once, and when it was read is a metric', async () => {
  const file = await open('1');
  expect(file.current).toBe(1);
  expect(await metric('last_reload_successful')).toBe(1);
  expect(await metric('last_reload_success_timestamp_seconds')).toBe(Date.UTC(2026, 0, 1) / 1000);
});

test('a change is taken, told, logged and counted', async () => {
  const file = await open('1');
  const told: number[] = [];
  file.onChange(value => told.push(value));
  await put('2');
  await looked(() => told.length > 0);
  expect([file.current, told]).toEqual([2, [2]]);
  expect(log.messages('info')).toEqual(['configuration reloaded']);
  expect(await metric('last_reload_success_timestamp_seconds')).toBeGreaterThan(Date.UTC(2026, 0, 1) / 1000);
});

test('a text that is the same tells nobody', async () => {
  const file = await open('1');
  const told: number[] = [];
  file.onChange(value => told.push(value));
  await put('1');
  await clock.advance(10_000);
  await put('2');
  await looked(() => told.length > 0);
  expect(told).toEqual([2]);
});

test('a mounted ConfigMap is followed when the kubelet turns the link in its folder', async () => {
  for (const [version, text] of [
    ['v1', '1'],
    ['v2', '2'],
  ] as const) {
    await mkdir(join(folder, version));
    await writeFile(join(folder, version, 'config.json'), text);
  }
  await symlink('v1', join(folder, '..data'));
  await symlink('..data/config.json', path);
  const file = new LiveFile({path, parse, metric: 'test_config', log, registry, clock});
  running = file.run(stop.signal);
  expect(file.current).toBe(1);
  await symlink('v2', join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), join(folder, '..data'));
  await looked(() => file.current === 2);
});

test('a text that is wrong is refused once, by name, and the value before stays in force', async () => {
  const file = await open('1');
  const refused: string[] = [];
  file.onRefused(error => refused.push(error.message));
  await put('one');
  await looked(() => refused.length > 0);
  await clock.advance(10_000);
  expect(file.current).toBe(1);
  expect(refused).toEqual([`${path}: one is no number`]);
  expect(log.messages('error')).toEqual(['configuration refused; the one before stays in force']);
  expect(await metric('last_reload_successful')).toBe(0);
});

test('after a refusal the next good text is taken, also the one before', async () => {
  const file = await open('1');
  const told: number[] = [];
  file.onChange(value => told.push(value));
  await put('one');
  await looked(() => log.messages('error').length > 0);
  await put('1');
  await looked(() => told.length > 0);
  expect(told).toEqual([1]);
  expect(await metric('last_reload_successful')).toBe(1);
});

test('a file that goes away is refused, and the value before stays in force', async () => {
  const file = await open('1');
  await rm(path);
  await looked(() => log.messages('error').length > 0);
  expect(file.current).toBe(1);
});

test.each([
  ['is wrong', 'one', /config\.json: one is no number/],
  ['is not there', undefined, /config\.json: .*ENOENT/],
])('a first text that %s is an error that names the file', async (_what, text, message) => {
  if (text !== undefined) await put(text);
  expect(() => new LiveFile({path, parse, metric: 'test_config', log, registry, clock})).toThrow(
    expect.objectContaining({code: 'KUBE_CONFIG', message: expect.stringMatching(message)}),
  );
});
