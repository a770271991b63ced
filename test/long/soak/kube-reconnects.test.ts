import {execFile} from 'node:child_process';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {expect, test} from '@jest/globals';
import {repository} from '../../../scripts/core/paths.ts';
import {BadServer} from './kube/bad-server.ts';
import type {Sample} from './kube/sample.ts';

const MiB = 1024 * 1024;

/** A small heap of a fixed shape, so that what the process holds does not depend on when V8 chose to grow. */
const flags = ['--expose-gc', '--max-semi-space-size=1', '--max-old-space-size=64'];

test('memory is flat over 10,000 watches that broke in every way, with a reconcile for each change', async () => {
  const server = new BadServer();
  const script = join(repository, 'test/long/soak/kube/reconnects.ts');
  const {stdout} = await promisify(execFile)(process.execPath, [
    ...flags,
    script,
    await server.start(),
    '2000',
    '10000',
  ]);
  await server.stop();
  const [early, late] = JSON.parse(stdout) as [Sample, Sample];
  const grown = (size: 'heapUsed' | 'external' | 'arrayBuffers' | 'rss'): number => (late[size] - early[size]) / MiB;
  expect(late.reconnects - early.reconnects).toBeGreaterThan(7000);
  // 250 bytes a watch; a signal or a response that is held is more.
  expect(grown('heapUsed')).toBeLessThan(2);
  expect(grown('external')).toBeLessThan(0.5);
  expect(grown('arrayBuffers')).toBeLessThan(0.5);
  expect(grown('rss')).toBeLessThan(24);
  expect(late.listeners).toBeLessThanOrEqual(early.listeners + 4);
  expect(late.handles).toBeLessThanOrEqual(early.handles + 8);
});
