import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {eventually} from '../support/eventually.ts';
import {tinyVm} from '../support/guests.ts';
import {Cluster} from './cluster.ts';

jest.setTimeout(600_000);

interface Info {
  readonly hostname: string;
  readonly bootId: string;
  readonly uptime: number;
}

let cluster: Cluster;
/** Uid of the instance that the machine had first. */
let firstRun: string;
beforeAll(async () => {
  cluster = await Cluster.open('lifecycle');
  await cluster.kubectl.apply(
    tinyVm('web', cluster.env.images.tiny, {labels: {app: 'web'}, ports: [{name: 'http', port: 80}]}),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {name: 'web'},
      spec: {selector: {app: 'web'}, ports: [{name: 'http', port: 8080, targetPort: 80}]},
    },
  );
});
afterAll(() => cluster?.close());

test('a machine with kernelBoot boots to its login, as kubectl logs shows', async () => {
  await cluster.running('web');
  await cluster.booted('web', /Linux version/);
  await cluster.booted('web', /login:/);
});

test('the guest gets the address 10.0.2.2 by DHCP', async () => {
  const console = await cluster.console('web');
  try {
    console.type('\n');
    await console.expect(/[#$] |login:/);
    const addresses = await console.shell('ip -4 -o addr show dev eth0');
    expect(addresses).toContain('10.0.2.2/24');
    expect(await console.shell('ip route')).toContain('default via 10.0.2.1');
  } finally {
    console.close();
  }
});

test('kubectl attach -it is a console that takes commands', async () => {
  const console = await cluster.console('web');
  try {
    console.type('\n');
    await console.expect(/[#$] |login:/);
    expect(await console.shell('echo $((6 * 7))')).toBe('42');
  } finally {
    console.close();
  }
});

test('the guest serves HTTP through the pod address, which the instance reports', async () => {
  const pod = await cluster.pod('web');
  const vmi = await cluster.vmi('web');
  expect(vmi.status?.interfaces?.[0]?.ipAddress).toBe(pod.status.podIP);
  const info = JSON.parse(await cluster.http(`http://${pod.status.podIP}/cgi-bin/info`)) as Info;
  expect(info.bootId).toMatch(/^[0-9a-f-]{36}$/);
});

test('the guest serves HTTP through a Service', async () => {
  const service = await cluster.kubectl.json<{spec: {clusterIP: string}}>('get', 'service', 'web');
  const info = JSON.parse(await cluster.http(`http://${service.spec.clusterIP}:8080/cgi-bin/info`)) as Info;
  expect(info.hostname).toBe('web');
});

test('the guest serves HTTP through kubectl port-forward', async () => {
  const pod = await cluster.pod('web');
  const forward = cluster.kubectl.spawn('port-forward', `pod/${pod.metadata.name}`, ':80');
  try {
    let said = '';
    forward.stdout.on('data', chunk => (said += chunk));
    const port = await eventually(() => {
      const match = said.match(/127\.0\.0\.1:(\d+)/);
      if (match === null) throw new Error(`port-forward says: ${said}`);
      return match[1];
    });
    const answer = await fetch(`http://127.0.0.1:${port}/cgi-bin/info`, {signal: AbortSignal.timeout(20_000)});
    expect(((await answer.json()) as Info).hostname).toBe('web');
  } finally {
    forward.kill();
  }
});

test('kubectl get vm,vmi -o wide shows where it runs', async () => {
  const table = await cluster.kubectl.run('get', 'vm,vmi', '-o', 'wide');
  const pod = await cluster.pod('web');
  expect(table).toMatch(/virtualmachine\.kubevirt\.io\/web\s.*Running\s+True/);
  expect(table).toContain(pod.spec.nodeName);
  expect(table).toContain(pod.status.podIP);
});

test('patching runStrategy stops the machine and starts it again', async () => {
  const before = await cluster.vmi('web');
  firstRun = before.metadata.uid;
  await cluster.kubectl.mergePatch('vm/web', {spec: {runStrategy: 'Halted'}});
  await cluster.status('web', 'Stopped');
  await cluster.podGone('web');
  await cluster.kubectl.mergePatch('vm/web', {spec: {runStrategy: 'Always'}});
  const after = await cluster.running('web');
  expect(after.metadata.uid).not.toBe(before.metadata.uid);
  await cluster.booted('web', /login:/);
});

/** Reasons of the events of one instance in their order: an event is named by its time, in which the server lists them. */
const storyOf = async (uid: string): Promise<readonly string[]> => {
  const {items} = await cluster.kubectl.json<{items: {reason: string}[]}>(
    'get',
    'events',
    `--field-selector=involvedObject.kind=VirtualMachineInstance,involvedObject.uid=${uid}`,
  );
  return items.map(({reason}) => reason);
};

test('events tell the story of the run that was stopped and of the one that followed, each thing once', async () => {
  const started = ['SuccessfulCreate', 'Created', 'Started'];
  const stopped = ['SuccessfulDelete', 'ShuttingDown', 'Stopped', 'Deleted'];
  await eventually(async () => expect(await storyOf(firstRun)).toEqual([...started, ...stopped]));
  const next = await cluster.vmi('web');
  await eventually(async () => expect(await storyOf(next.metadata.uid)).toEqual(started));
  const described = await cluster.kubectl.run('describe', 'vm', 'web');
  expect(described).toMatch(/Normal +SuccessfulCreate .*Started the virtual machine/);
  expect(described).toMatch(/Normal +SuccessfulDelete .*Stopped the virtual machine/);
  expect(await cluster.kubectl.run('describe', 'vmi', 'web')).toMatch(
    /Normal +Started .*VirtualMachineInstance started/,
  );
});
