import {expect, test} from '@jest/globals';
import {type Node, systemClock} from '@wherry/kube';
import {quietLog} from '../testing/quiet-log.ts';
import {kvmReport, type KvmReport} from './kvm-report.ts';
import {type NodePatch, nodePatch} from './node-patch.ts';
import {NodeReporter} from './node-reporter.ts';
import {run} from './run.ts';
import {testKvm} from './self-test.ts';

const never = new AbortController().signal;
const report: KvmReport = {verdict: 'usable', reason: 'all checks passed'};
const nodeWith = (labels: Record<string, string>, annotations: Record<string, string>): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {name: 'n1', labels, annotations},
});

test.each([
  [
    'a verdict with its reason',
    '{"verdict":"usable","reason":"fine","checks":[]}\n',
    {verdict: 'usable', reason: 'fine'},
  ],
  ['nothing', '', {verdict: 'broken', reason: expect.stringContaining('no answer')}],
  [
    'a verdict that is unknown',
    '{"verdict":"splendid"}',
    {verdict: 'broken', reason: expect.stringContaining('no verdict')},
  ],
])('a self-test that says %s is understood', (_what, output, expected) => {
  expect(kvmReport(output)).toEqual(expected);
});

test('a self-test that cannot be run is no evidence for KVM', async () => {
  expect(await testKvm('/nonexistent', never)).toMatchObject({verdict: 'broken'});
  expect(await testKvm('/bin/false', never)).toMatchObject({
    verdict: 'broken',
    reason: expect.stringContaining('code 1'),
  });
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
      labels: {'kubevirt.io/schedulable': 'true', 'wherry.dev/kvm': 'usable'},
      annotations: {'wherry.dev/kvm-reason': 'all checks passed'},
    },
  });
  const said = nodeWith(
    {'kubevirt.io/schedulable': 'true', 'wherry.dev/kvm': 'usable', other: 'x'},
    {'wherry.dev/kvm-reason': 'all checks passed'},
  );
  expect(nodePatch(said, report)).toBeUndefined();
  expect(nodePatch(said, {...report, verdict: 'broken'})).toBeDefined();
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
