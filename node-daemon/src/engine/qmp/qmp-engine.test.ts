import {expect, test} from '@jest/globals';
import fc from 'fast-check';
import type {LauncherConnection} from '../../launcher/connection.ts';
import type {EngineReply} from '../../launcher/shapes.ts';
import {nativeKind} from '../native/native-kind.ts';
import {type Engine, type EngineKind, engineOperations} from '../engine.ts';
import {qemuKind} from '../qemu/qemu-kind.ts';

/** A connection whose engine answers by command; what is missing is an error of QEMU's. */
const engine = (
  answers: Readonly<Record<string, unknown>> = {},
  kind: EngineKind = qemuKind,
): {engine: Engine; asked: string[]} => {
  const asked: string[] = [];
  const connection = {
    engine: async ({execute}: {execute: string}): Promise<EngineReply> => {
      asked.push(execute);
      return execute in answers
        ? {return: answers[execute]}
        : {error: {class: 'DeviceNotActive', desc: `${execute} cannot be answered`}};
    },
  };
  return {engine: kind.attach(connection as LauncherConnection), asked};
};

test.each([
  ['pause', 'stop'],
  ['resume', 'cont'],
  ['reset', 'system_reset'],
  ['powerButton', 'system_powerdown'],
] as const)('%s is one command', async (operation, command) => {
  const {engine: guest, asked} = engine({[command]: {}});
  await guest[operation]();
  expect(asked).toEqual([command]);
});

test.each([qemuKind, nativeKind])(
  'an operation of $name is among its capabilities or refused as unsupported',
  async kind => {
    const {engine: guest} = engine({stop: {}, cont: {}, system_reset: {}, system_powerdown: {}}, kind);
    for (const operation of engineOperations) {
      const call = (guest[operation] as () => Promise<unknown>)().then(
        () => 'done',
        (error: {code: string}) => error.code,
      );
      expect(await call).toBe(kind.capabilities.operations.has(operation) ? 'done' : 'UNSUPPORTED_OPERATION');
    }
  },
);

test('the version is a number, and an unknown state counts as starting', async () => {
  const answers = {
    'query-version': {qemu: {major: 10, minor: 0, micro: 13}, package: 'Debian'},
    'query-status': {status: 'dancing', running: true},
    'query-chardev': [{label: 'agent', 'frontend-open': true, filename: ''}],
  };
  expect(await engine(answers).engine.describe()).toEqual({
    name: 'qemu',
    version: '10.0.13',
    state: 'starting',
    agent: true,
  });
});

test('the native engine says its version in its own way, and is not asked for what it has not', async () => {
  const answers = {'query-version': {package: 'wherry-vmm 0.1.0'}, 'query-status': {status: 'running', running: true}};
  const {engine: guest, asked} = engine({...answers, 'query-blockstats': [], 'query-cpus-fast': []}, nativeKind);
  expect(await guest.describe()).toEqual({name: 'native', version: '0.1.0', state: 'running', agent: false});
  expect(await guest.stats()).toEqual({disks: [], vcpuThreads: [], memory: undefined});
  expect(asked).not.toContain('query-chardev');
  expect(asked).not.toContain('query-balloon');
  await expect(guest.watchMemory()).rejects.toMatchObject({code: 'UNSUPPORTED_OPERATION'});
  const strange = engine({...answers, 'query-version': {package: {toString: 1}}}, nativeKind);
  expect((await strange.engine.describe()).version).toBe('0.0.0');
});

test('a guest without a balloon driver still has all other counters', async () => {
  const stats = await engine({'query-blockstats': [], 'query-cpus-fast': []}).engine.stats();
  expect(stats).toEqual({disks: [], vcpuThreads: [], memory: undefined});
});

test('what an engine refuses is an error in its own words', async () => {
  await expect(engine().engine.pause()).rejects.toMatchObject({
    code: 'ENGINE',
    message: 'the engine refused stop (DeviceNotActive): stop cannot be answered',
  });
});

test('whatever the engine answers, it is described and counted, or fails as engines do', async () => {
  const command = fc.constantFrom(
    'query-status',
    'query-version',
    'query-chardev',
    'query-block',
    'query-blockstats',
    'query-cpus-fast',
    'query-balloon',
    'qom-get',
  );
  const field = fc.constantFrom(
    'status',
    'qemu',
    'major',
    'label',
    'qdev',
    'stats',
    'rd_bytes',
    'io-status',
    'cpu-index',
    'thread-id',
    'actual',
    'stat-free-memory',
  );
  const leaf = fc.oneof(
    fc.constantFrom(null, true, -1, 1e308, 2 ** 63, 'disk-a', 'toString', '__proto__', 'failed'),
    fc.string(),
  );
  const value = fc.oneof(
    leaf,
    fc.array(leaf),
    fc.dictionary(field, fc.oneof(leaf, fc.dictionary(field, leaf))),
    fc.array(fc.dictionary(field, fc.oneof(leaf, fc.dictionary(field, leaf)))),
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(command, value), async answers => {
      const {engine: guest} = engine(answers);
      const results = await Promise.allSettled([guest.describe(), guest.stats(), guest.failedDisks()]);
      for (const one of results) if (one.status === 'rejected') expect(one.reason).toMatchObject({code: 'ENGINE'});
      const [description, stats] = results;
      if (description.status === 'fulfilled') expect(description.value.version).toMatch(/^\d+\.\d+\.\d+$/);
      if (stats.status === 'fulfilled')
        for (const {disk: _, ...counters} of stats.value.disks)
          for (const count of Object.values(counters)) expect(count).toBeGreaterThanOrEqual(0);
    }),
  );
});
