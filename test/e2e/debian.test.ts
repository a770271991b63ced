import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {Cluster} from './cluster.ts';
import {debianObjects} from '../support/debian.ts';

jest.setTimeout(600_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.open('debian');
  await cluster.kubectl.apply(...debianObjects());
});
afterAll(() => cluster?.close());

test('a Debian containerDisk boots to its login', async () => {
  await cluster.running('debian');
  // A log holds whole lines: the greeting is one, the prompt behind it is not.
  await cluster.booted('debian', /Debian GNU\/Linux 13 debian/, 400_000);
  const console = await cluster.console('debian');
  try {
    console.type('\r');
    await console.expect(/debian login:/);
  } finally {
    console.close();
  }
});

test('its user-data ran, and the HTTP server that it started answers through a Service', async () => {
  const service = await cluster.kubectl.json<{spec: {clusterIP: string}}>('get', 'service', 'debian');
  const page = await cluster.http(`http://${service.spec.clusterIP}/`, 300_000);
  expect(page).toContain('Hello from debian');
});
