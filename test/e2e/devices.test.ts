import {afterAll, beforeAll, expect, jest, test} from '@jest/globals';
import type {Console} from '../support/console.ts';
import {eventually} from '../support/eventually.ts';
import {tinyVm} from '../support/guests.ts';
import {Cluster} from './cluster.ts';

jest.setTimeout(600_000);

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
        watchdog: {name: 'dog', i6300esb: {action: 'poweroff'}},
        sound: {name: 'card'},
        panicDevices: [{model: 'pvpanic'}],
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
    expect(pci).toContain('0x8086 0x25ab'); // the watchdog
    expect(pci).toContain('0x8086 0x293e'); // the sound card
    expect(pci).toContain('0x1b36 0x0011'); // the bell for panics on PCI
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

/** Types a command that ends the run, waits for the next one, and returns what was said of the first. */
const endsAndRunsAgain = async (name: string, command: string): Promise<string> => {
  const before = await cluster.vmi(name);
  const console = await atShell(name);
  console.type(`${command}\n`);
  await eventually(async () => {
    const now = await cluster.vmi(name);
    expect(now.metadata.uid).not.toBe(before.metadata.uid);
    expect(now.status?.phase).toBe('Running');
  });
  console.close();
  return cluster.kubectl.run('get', 'events', `--field-selector=involvedObject.uid=${before.metadata.uid}`);
};

test('a guest whose reboot ends its run runs again as a new instance under Always', async () => {
  expect(await endsAndRunsAgain('rich', 'reboot')).toContain('the guest rebooted');
});

/** The guest's kernel has no driver for it: two counts of 16 ms are set, each after the word that unlocks it, and started. */
const startWatchdog =
  'cd /sys/bus/pci/devices/0000:00:01.4; echo 1 >enable; read -r bar _ <resource; ' +
  'unlock() { devmem $((bar + 12)) 16 0x80; devmem $((bar + 12)) 16 0x86; }; ' +
  'unlock; devmem $bar 32 16; unlock; devmem $((bar + 4)) 32 16; ' +
  'printf "\\002" | dd of=config bs=1 seek=104 conv=notrunc';

test('a guest that does not feed its watchdog is powered off, which is a failure, and runs again', async () => {
  expect(await endsAndRunsAgain('rich', startWatchdog)).toContain('the watchdog of the guest powered it off');
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
