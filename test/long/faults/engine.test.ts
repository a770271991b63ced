import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {nothingLeft} from '../../e2e/traces.ts';
import {eventually} from '../../support/eventually.ts';
import {enginePids, limitMemory, onNode} from './support/nodes.ts';
import {conditionOf, figure, type Run, Stage} from './support/stage.ts';

jest.setTimeout(240_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('engine');
  await stage.keeper('killed', {node: stage.node(0)});
  await stage.keeper('hangs', {node: stage.node(1), graceSeconds: 5});
});
afterAll(() => stage?.close());

const engineOf = async ({node, name}: Run): Promise<number> => {
  const pids = await enginePids(node, stage.machine(name));
  expect(pids).toHaveLength(1);
  return pids[0]!;
};

const events = (name: string): Promise<string> =>
  stage.cluster.kubectl.run('get', 'events', '--field-selector', `involvedObject.name=${name}`);

test('a machine whose QEMU is killed runs again with all that was flushed', async () => {
  let run = await stage.connect('killed');
  for (const time of ['first', 'second', 'third']) {
    const began = performance.now();
    await onNode(run.node, 'kill', '-9', String(await engineOf(run)));
    run = await stage.runsAgain(run, `kill -9 of QEMU, the ${time} time`, began);
  }
  expect(await events('killed')).toMatch(/Warning\s+EngineCrashed/);
});

test('a machine whose launcher is killed runs again with all that was flushed', async () => {
  const run = await stage.connect('killed');
  const engine = await engineOf(run);
  const launcher = (await onNode(run.node, 'ps', '-o', 'ppid=', '-p', String(engine))).trim();
  const began = performance.now();
  await onNode(run.node, 'kill', '-9', launcher);
  await stage.runsAgain(run, 'kill -9 of the launcher', began);
});

test('a QEMU that hangs is said to hang, is not restarted, and runs on when it can', async () => {
  const run = await stage.connect('hangs');
  const engine = await engineOf(run);
  await onNode(run.node, 'kill', '-STOP', String(engine));
  const began = performance.now();
  await eventually(
    async () => {
      const vmi = await stage.cluster.vmi('hangs');
      expect(conditionOf(vmi, 'Ready')).toMatchObject({status: 'False', reason: 'EngineUnresponsive'});
    },
    {timeoutMs: 30_000},
  );
  figure('hangs: said to hang', performance.now() - began);
  expect(await events('hangs')).toMatch(/Warning\s+EngineUnresponsive/);
  // Nobody has asked for its end.
  await sleep(10_000);
  expect(await engineOf(run)).toBe(engine);
  expect((await stage.cluster.vmi('hangs')).status?.phase).toBe('Running');

  await onNode(run.node, 'kill', '-CONT', String(engine));
  const back = performance.now();
  await eventually(
    async () => {
      expect(conditionOf(await stage.cluster.vmi('hangs'), 'Ready')?.status).toBe('True');
    },
    {timeoutMs: 10_000},
  );
  figure('hangs: said to be well again', performance.now() - back);
  await stage.livesOn(run);
});

test('a machine whose QEMU hangs can be deleted, and nothing of it is left', async () => {
  const run = await stage.connect('hangs');
  await onNode(run.node, 'kill', '-STOP', String(await engineOf(run)));
  const began = performance.now();
  await stage.cluster.kubectl.run('delete', 'vm', 'hangs', '--timeout=60s');
  figure('hangs: deleted while it hangs, with a grace of 5 s', performance.now() - began);
  await nothingLeft(stage.cluster, run);
});

test('a machine that takes more memory than its limit ends as OOMKilled, and runs again', async () => {
  await stage.keeper('greedy', {domain: {resources: {limits: {memory: '128Mi'}}}});
  const run = await stage.connect('greedy');
  // A guest cannot exceed its own memory, and what QEMU needs is reserved: it is the limit that comes nearer.
  await limitMemory(run.node, await engineOf(run), 4 * 1024 * 1024);
  const console = await stage.cluster.console('greedy');
  console.type('\n');
  await console.expect(/[#$] |login:/);
  const began = performance.now();
  console.type('mount -t tmpfs -o size=64m big /mnt && dd if=/dev/zero of=/mnt/all bs=1M\n');
  await stage.runsAgain(run, 'its pod had used up its memory', began, 90_000);
  console.close();
  expect(await events('greedy')).toMatch(/Warning\s+OOMKilled/);
});
