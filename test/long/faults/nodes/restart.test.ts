import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {run as command} from '../../../support/kubectl.ts';
import {figure, type Run, Stage} from '../support/stage.ts';

jest.setTimeout(300_000);

let stage: Stage;
let lost: Run;
let other: Run;
beforeAll(async () => {
  stage = await Stage.open('restart');
  await stage.keeper('lost', {node: stage.node(1)});
  await stage.keeper('other', {node: stage.node(0)});
  lost = await stage.connect('lost');
  other = await stage.connect('other');
});
afterAll(() => stage?.close());

test('a node that restarts loses its guests, which run again with all that was flushed', async () => {
  const began = performance.now();
  // No time to shut anything down.
  await command('docker', ['kill', '--signal=KILL', lost.node]);
  await command('docker', ['start', lost.node]);
  figure('the restart of the node', performance.now() - began);
  await stage.runsAgain(lost, 'the loss of its node', began, 180_000);
  await stage.livesOn(other);
  expect(stage.engines.doubled).toEqual([]);
});
