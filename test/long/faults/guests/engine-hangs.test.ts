import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {nothingLeft} from '../../../e2e/traces.ts';
import {eventually} from '../../../support/eventually.ts';
import {onNode} from '../support/nodes.ts';
import {conditionOf, figure, Stage} from '../support/stage.ts';

jest.setTimeout(240_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('hangs');
  await stage.keeper('hangs', {node: stage.node(0), graceSeconds: 5});
});
afterAll(() => stage?.close());

test('a QEMU that hangs is said to hang, is not restarted, and runs on when it can', async () => {
  const run = await stage.connect('hangs');
  const engine = await stage.engine(run);
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
  expect(await stage.events('hangs')).toMatch(/Warning\s+EngineUnresponsive/);
  // Nobody has asked for its end.
  await sleep(10_000);
  expect(await stage.engine(run)).toBe(engine);
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
  await onNode(run.node, 'kill', '-STOP', String(await stage.engine(run)));
  const began = performance.now();
  await stage.cluster.kubectl.run('delete', 'vm', 'hangs', '--timeout=60s');
  figure('hangs: deleted while it hangs, with a grace of 5 s', performance.now() - began);
  await nothingLeft(stage.cluster, run);
});
