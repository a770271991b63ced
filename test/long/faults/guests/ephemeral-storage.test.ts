import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {Stage} from '../support/stage.ts';

jest.setTimeout(240_000);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open('ephemeral');
});
afterAll(() => stage?.close());

test('a machine that fills the ephemeral storage that it may have is evicted, and runs again', async () => {
  await stage.keeper('fills', {
    node: stage.node(0),
    disks: [{name: 'scratch', disk: {bus: 'virtio'}}],
    volumes: [{name: 'scratch', emptyDisk: {capacity: '256Mi'}}],
    domain: {resources: {limits: {'ephemeral-storage': '64Mi'}}},
  });
  const run = await stage.connect('fills');
  const console = await stage.cluster.console('fills');
  console.type('\n');
  await console.expect(/[#$] |login:/);
  const began = performance.now();
  console.type('dd if=/dev/urandom of=/dev/vdc bs=1M count=200\n');
  await stage.runsAgain(run, 'its ephemeral storage was used up', began, 150_000);
  console.close();
  expect(await stage.events('fills')).toMatch(/Evicted.*ephemeral/s);
});
