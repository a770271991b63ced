import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import type {Console} from '../support/console.ts';
import {eventually} from '../support/eventually.ts';
import {tinyVm} from '../support/guests.ts';
import {Cluster} from './cluster.ts';

jest.setTimeout(240_000);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.open('devices');
  const {tiny} = cluster.env.images;
  await cluster.kubectl.apply(
    // Everything that may be asked for; a reboot ends its run.
    tinyVm('rich', tiny, {
      domain: {rebootPolicy: 'Terminate'},
      devices: {
        rng: {},
        video: {type: 'virtio'},
        autoattachMemBalloon: false,
        inputs: [
          {name: 'touch', type: 'tablet', bus: 'virtio'},
          {name: 'pen', type: 'tablet'},
        ],
      },
    }),
    // Nothing that may be left out, and not run yet: what it says it says to nobody, so its web server tells.
    tinyVm('quiet', tiny, {
      ports: [{name: 'http', port: 80}],
      spec: {startStrategy: 'Paused'},
      devices: {logSerialConsole: false, autoattachGraphicsDevice: true},
    }),
    tinyVm('mute', tiny, {
      ports: [{name: 'http', port: 80}],
      devices: {autoattachSerialConsole: false},
    }),
  );
});
afterAll(() => cluster?.close());

const conditionOf = async (name: string, type: string) =>
  (await cluster.vmi(name)).status?.conditions?.find(one => one.type === type);

const atShell = async (name: string): Promise<Console> => {
  await cluster.running(name);
  await cluster.booted(name, /login:/);
  const console = await cluster.console(name);
  console.type('\n');
  await console.expect(/[#$] |login:/);
  return console;
};

const answers = async (name: string): Promise<string> =>
  cluster.http(`http://${(await cluster.pod(name)).status.podIP}/cgi-bin/info`);

test('a guest sees the devices that it asked for, and not those that it does without', async () => {
  const console = await atShell('rich');
  try {
    // Drivers that nothing waits for come after the login.
    await eventually(async () => {
      expect(await console.shell('cat /sys/class/misc/hw_random/rng_current')).toContain('virtio_rng');
      expect(await console.shell('cat /proc/bus/input/devices')).toContain('Name="QEMU Virtio Tablet"');
    });
    const pci = await console.shell(
      'cd /sys/bus/pci/devices; for d in *; do cat $d/vendor $d/device $d/class; done | xargs -n 3',
    );
    expect(pci).toContain('0x1af4 0x1050 0x030000'); // the graphics card, virtio's
    expect(pci).toContain('0x1b36 0x000d 0x0c0330'); // the USB that the other tablet hangs on
    expect(pci).not.toContain('0x1af4 0x1045'); // a balloon
  } finally {
    console.close();
  }
});

test('a graphics card’s screen is served at a socket in the pod', async () => {
  const {status} = await cluster.vmi('rich');
  const sockets = await cluster.onNode(
    status?.nodeName ?? '',
    'sh',
    '-c',
    'grep -c wherry/vnc.sock /proc/*/net/unix || true',
  );
  expect(sockets).toMatch(/:[1-9]/);
});

test('a guest whose reboot ends its run runs again as a new instance under Always', async () => {
  const before = await cluster.vmi('rich');
  const console = await atShell('rich');
  console.type('reboot\n');
  await eventually(async () => {
    const now = await cluster.vmi('rich');
    expect(now.metadata.uid).not.toBe(before.metadata.uid);
    expect(now.status?.phase).toBe('Running');
  });
  console.close();
});

test('a guest that starts paused does not run until its annotation resumes it', async () => {
  await cluster.status('quiet', 'Paused');
  expect(await conditionOf('quiet', 'Paused')).toMatchObject({status: 'True', reason: 'PausedByUser'});
  expect(await conditionOf('quiet', 'Ready')).toMatchObject({status: 'False', reason: 'GuestPaused'});
  await cluster.kubectl.run('annotate', 'vmi', 'quiet', 'wherry.dev/paused=false');
  await cluster.running('quiet');
  expect(await answers('quiet')).toContain('uptime');
  expect(await cluster.logs('quiet')).toBe('');
  await eventually(async () => expect(await conditionOf('quiet', 'Ready')).toMatchObject({status: 'True'}));
});

test('a running guest is paused by its annotation, and shuts down although it is', async () => {
  await cluster.kubectl.run('annotate', '--overwrite', 'vmi', 'quiet', 'wherry.dev/paused=true');
  await cluster.status('quiet', 'Paused');
  await cluster.kubectl.mergePatch('vm/quiet', {spec: {runStrategy: 'Halted'}});
  const events = await eventually(async () => {
    const told = await cluster.kubectl.run('get', 'events', '--field-selector=involvedObject.name=quiet');
    expect(told).toMatch(/the guest shut down because its pod was stopped/);
    return told;
  });
  expect(events).toMatch(/Paused/);
  expect(events).toMatch(/Resumed/);
});

test('a guest without a serial port runs, and its log stays empty', async () => {
  await cluster.running('mute');
  expect(await answers('mute')).toContain('uptime');
  expect(await cluster.logs('mute')).toBe('');
});
