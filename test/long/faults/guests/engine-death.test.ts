import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {limitMemory, onNode} from '../support/nodes.ts';
import {Stage} from '../support/stage.ts';

jest.setTimeout(240_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('death');
  await stage.keeper('killed', {node: stage.node(0)});
});
afterAll(() => stage?.close());

test('a machine whose QEMU is killed runs again with all that was flushed', async () => {
  const run = await stage.connect('killed');
  const began = performance.now();
  await onNode(run.node, 'kill', '-9', String(await stage.engine(run)));
  await stage.runsAgain(run, 'kill -9 of QEMU', began);
  expect(await stage.events('killed')).toMatch(/Warning\s+EngineCrashed/);
});

test('a machine whose launcher is killed runs again with all that was flushed', async () => {
  const run = await stage.connect('killed');
  const engine = await stage.engine(run);
  const launcher = (await onNode(run.node, 'ps', '-o', 'ppid=', '-p', String(engine))).trim();
  const began = performance.now();
  await onNode(run.node, 'kill', '-9', launcher);
  await stage.runsAgain(run, 'kill -9 of the launcher', began);
});

test('a machine that takes more memory than its limit ends as OOMKilled, and runs again', async () => {
  await stage.keeper('greedy', {node: stage.node(0), domain: {resources: {limits: {memory: '128Mi'}}}});
  const run = await stage.connect('greedy');
  // A guest cannot exceed its own memory, and what QEMU needs is reserved: it is the limit that comes nearer.
  await limitMemory(run.node, await stage.engine(run), 4 * 1024 * 1024);
  const console = await stage.cluster.console('greedy');
  console.type('\n');
  await console.expect(/[#$] |login:/);
  const began = performance.now();
  console.type('mount -t tmpfs -o size=64m big /mnt && dd if=/dev/zero of=/mnt/all bs=1M\n');
  await stage.runsAgain(run, 'its pod had used up its memory', began, 90_000);
  console.close();
  expect(await stage.events('greedy')).toMatch(/Warning\s+OOMKilled/);
});
