import {expect, test} from '@jest/globals';
import {type Node, systemClock} from '@wherry/kube';
import {quietLog} from '../testing/quiet-log.ts';
import {kvmReport, type KvmReport} from './kvm-report.ts';
import {type NodePatch, nodePatch} from './node-patch.ts';
import {NodeReporter} from './node-reporter.ts';
import {run} from './run.ts';
import {testKvm} from './self-test.ts';

const never = new AbortController().signal;
const report: KvmReport = {verdict: 'usable', reason: 'all checks passed', cpuid: []};
const nodeWith = (labels: Record<string, string>, annotations: Record<string, string>): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {name: 'n1', labels, annotations},
});

test.each([
  [
    'a verdict with its reason',
    '{"verdict":"usable","reason":"fine","checks":[]}\n',
    {verdict: 'usable', reason: 'fine', cpuid: []},
  ],
  ['nothing', '', {verdict: 'broken', reason: expect.stringContaining('no answer'), cpuid: []}],
  [
    'a verdict that is unknown',
    '{"verdict":"splendid"}',
    {verdict: 'broken', reason: expect.stringContaining('no verdict'), cpuid: []},
  ],
])('a self-test that says %s is understood', (_what, output, expected) => {
  expect(kvmReport(output)).toEqual(expected);
});

test('a self-test that cannot be run is no evidence for KVM', async () => {
  await expect(testKvm('/nonexistent', never)).rejects.toMatchObject({code: 'PROGRAM_FAILED'});
  await expect(testKvm('/bin/false', never)).rejects.toThrow(/code 1/);
});

test('a program gets its input and gives its output', async () => {
  expect(await run('cat', [], {input: 'hello', timeoutMs: 5000})).toBe('hello');
});

test('a program that fails says why, and one that hangs is killed', async () => {
  await expect(run('sh', ['-c', 'echo no such table >&2; exit 3'], {timeoutMs: 5000})).rejects.toThrow(
    /ended with code 3: no such table/,
  );
  await expect(run('sleep', ['60'], {timeoutMs: 50})).rejects.toThrow(/ended by SIGKILL/);
});

test('a node is patched only when it does not say so already', () => {
  expect(nodePatch(nodeWith({}, {}), report)).toEqual({
    metadata: {
      labels: {'kubevirt.io/schedulable': 'true', 'wherry.dev/kvm': 'usable', 'wherry.dev/native-matrix': '1'},
      annotations: {'wherry.dev/kvm-reason': 'all checks passed'},
    },
  });
  const said = nodeWith(
    {'kubevirt.io/schedulable': 'true', 'wherry.dev/kvm': 'usable', 'wherry.dev/native-matrix': '1', other: 'x'},
    {'wherry.dev/kvm-reason': 'all checks passed'},
  );
  expect(nodePatch(said, report)).toBeUndefined();
  // Without KVM the native engine goes with it.
  expect(nodePatch(said, {...report, verdict: 'broken'})?.metadata.labels).toMatchObject({
    'wherry.dev/kvm': 'broken',
    'wherry.dev/native-matrix': null,
  });
});

/** Runs until the reporter has published, with a node that fails as often as is said. */
const published = async (failures: number): Promise<{patches: NodePatch[]; tests: number}> => {
  const stop = new AbortController();
  const patches: NodePatch[] = [];
  let tests = 0;
  let left = failures;
  const reporter = new NodeReporter({
    name: 'n1',
    test: async () => {
      tests++;
      return report;
    },
    nodes: {
      get: async () => {
        if (left-- > 0) throw new Error('the API server is away');
        return nodeWith({}, {});
      },
      patch: async (_name, patch) => {
        patches.push(patch);
        setImmediate(() => stop.abort());
      },
    },
    clock: {...systemClock, schedule: (_ms, then) => systemClock.schedule(1, then)},
    log: quietLog,
  });
  expect(reporter.published).toBe(false);
  await reporter.run(stop.signal);
  expect(reporter.published).toBe(true);
  expect(reporter.report).toEqual(report);
  return {patches, tests};
};

test('the verdict is tested once and published, however often the API server is away', async () => {
  const {patches, tests} = await published(3);
  expect(patches).toHaveLength(1);
  expect(tests).toBe(1);
});

test('a self-test that could not be run says so, and is tried again after a minute, then ever more rarely', async () => {
  const stop = new AbortController();
  const hour = 3_600_000;
  let now = 0;
  let said: Node = nodeWith({}, {});
  const testedAt: number[] = [];
  const reasons: (string | undefined)[] = [];
  const reporter = new NodeReporter({
    name: 'n1',
    test: async () => {
      testedAt.push(now);
      reasons.push(said.metadata.annotations?.['wherry.dev/kvm-reason']);
      if (testedAt.length === 12) stop.abort();
      if (testedAt.length === 11) return report;
      throw new Error('the program is not there');
    },
    nodes: {
      get: async () => said,
      patch: async (_name, {metadata}) =>
        void (said = nodeWith(metadata.labels as Record<string, string>, metadata.annotations)),
    },
    clock: {
      now: () => now,
      monotonic: () => now,
      schedule: (ms, then) => {
        now += ms;
        return systemClock.schedule(0, then);
      },
    },
    log: quietLog,
  });
  await reporter.run(stop.signal);
  const minutes = testedAt.slice(1).map((at, index) => (at - testedAt[index]!) / 60_000);
  expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]);
  expect(reasons[1]).toBe('the KVM self-test could not be run: the program is not there');
  expect(reasons[11]).toBe('all checks passed');
  expect(reporter.report).toEqual(report);
  expect(now).toBeLessThan(24 * hour);
});
