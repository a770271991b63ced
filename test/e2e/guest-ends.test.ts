import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import {eventually} from '../support/eventually.ts';
import {type TinyOptions, tinyInstanceSpec, tinyVm} from '../support/guests.ts';
import {Cluster, type Vmi} from './cluster.ts';

jest.setTimeout(600_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.open('ends');
});
afterAll(() => cluster?.close());

/** Makes a machine, waits for its login and types a command on its console. */
const typeInNew = async (name: string, options: TinyOptions, command: string): Promise<Vmi> => {
  await cluster.kubectl.apply(tinyVm(name, cluster.env.images.tiny, options));
  const vmi = await cluster.running(name);
  await cluster.booted(name, /login:/);
  const console = await cluster.console(name);
  console.type('\n');
  await console.expect(/[#$] |login:/);
  console.type(`${command}\n`);
  await eventually(async () => {
    const now = await cluster.vmi(name).catch(() => undefined);
    if (now?.metadata.uid === vmi.metadata.uid && now.status?.phase === 'Running')
      throw new Error(`${name} still runs`);
  });
  console.close();
  return vmi;
};

const runsAgain = (name: string, before: Vmi): Promise<void> =>
  eventually(async () => {
    const now = await cluster.vmi(name);
    expect(now.metadata.uid).not.toBe(before.metadata.uid);
    expect(now.status?.phase).toBe('Running');
  });

test('Always starts a guest again that powered itself off', async () => {
  const before = await typeInNew('always', {runStrategy: 'Always'}, 'poweroff');
  await runsAgain('always', before);
});

test('RerunOnFailure leaves a guest down that powered itself off', async () => {
  await typeInNew('orderly', {runStrategy: 'RerunOnFailure'}, 'poweroff');
  await cluster.status('orderly', 'Stopped');
  await cluster.podGone('orderly');
});

test('RerunOnFailure starts a guest again that panicked', async () => {
  const before = await typeInNew('panicked', {runStrategy: 'RerunOnFailure'}, 'echo c > /proc/sysrq-trigger');
  await runsAgain('panicked', before);
  // The run and its events are gone; the machine tells, in the words that the kernel left on the console.
  expect(await cluster.kubectl.run('describe', 'vm', 'panicked')).toMatch(
    /Warning\s+GuestPanicked\s.*sysrq triggered crash/,
  );
});

test('Once never starts a second time', async () => {
  const before = await typeInNew('once', {runStrategy: 'Once'}, 'poweroff');
  await cluster.status('once', 'Stopped');
  const after = await cluster.vmi('once');
  expect(after.metadata.uid).toBe(before.metadata.uid);
  expect(after.status?.phase).toBe('Succeeded');
});

test('a guest that reboots stays in its pod', async () => {
  await cluster.kubectl.apply(tinyVm('reboots', cluster.env.images.tiny));
  const before = await cluster.running('reboots');
  await cluster.booted('reboots', /login:/);
  const console = await cluster.console('reboots');
  console.type('\n');
  await console.expect(/[#$] |login:/);
  const from = console.text.length;
  console.type('reboot\n');
  await console.expect(/login:/, 60_000, from + 'reboot\n'.length);
  console.close();
  expect((await cluster.vmi('reboots')).metadata.uid).toBe(before.metadata.uid);
});

test('a stand-alone instance that powered off is Succeeded', async () => {
  await cluster.kubectl.apply({
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {name: 'alone'},
    spec: tinyInstanceSpec(cluster.env.images.tiny),
  });
  await cluster.kubectl.run('wait', 'vmi/alone', '--for=jsonpath={.status.phase}=Running', '--timeout=120s');
  await cluster.booted('alone', /login:/);
  const console = await cluster.console('alone');
  console.type('\n');
  await console.expect(/[#$] |login:/);
  console.type('poweroff\n');
  await cluster.kubectl.run('wait', 'vmi/alone', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s');
  console.close();
});
