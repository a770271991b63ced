/** The life of a guest: it starts, works, is paused, adopted, rebooted, reset, and switched off. */
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Guest} from '../guest.ts';
import type {Story} from '../story.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

const MiB = 1024 ** 2;

/** Long enough for a guest that runs to show it. */
const A_WHILE_MS = 3000;

/** Answers every request with these bytes, at the node's end of the pod's network, while `use` runs. */
const serving = async (guest: Guest, bytes: Buffer, use: (port: number) => Promise<void>): Promise<void> => {
  const server = createServer((_, response) => response.end(bytes));
  server.listen(0, guest.pod.network.node);
  await once(server, 'listening');
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
    server.closeAllConnections();
  }
};

/** What it uses the engine with stays the same while the guest boots anew. */
const bootsAnew = async (guest: Guest, how: () => Promise<unknown>): Promise<void> => {
  const before = await guest.info();
  const engine = await guest.enginePid();
  const from = guest.pod.console.length;
  await how();
  await guest.answers(before);
  await guest.login(from);
  assert.equal(await guest.enginePid(), engine);
  assert.equal(guest.instance.status?.phase, 'Running');
};

export const life: Story = {
  name: 'a life',
  claims: ['data'],
  guest: {
    disks: [{name: 'data', disk: {bus: 'virtio'}}],
    volumes: [{name: 'data', persistentVolumeClaim: {claimName: 'data'}}],
  },
  steps: [
    {
      name: 'a guest that is handed over runs, and its status says with what',
      run: async (guest, {subject}) => {
        await guest.running();
        const {status} = guest.instance;
        assert.equal(status?.engine?.name, subject.engine);
        assert.match(status?.engine?.version ?? '', /^\d+\.\d+/);
        assert.equal(status?.memory?.guestCurrent, '128Mi');
        assert.equal(status?.interfaces?.[0]?.ipAddress, guest.pod.network.pod);
        assert.equal(guest.condition('Ready'), 'True');
        assert.equal(guest.condition('wherry.dev/EngineActive'), 'True');
      },
    },
    {
      name: 'its console shows it boot, and takes what is typed',
      run: async guest => {
        await guest.login();
        assert.equal(await guest.shell('echo $((6 * 7))'), '42');
      },
    },
    {
      name: 'it answers through the address of its pod',
      run: async guest => assert.match((await guest.answers()).bootId, /^[0-9a-f-]{36}$/),
    },
    {
      name: 'what it fetches through its network is what was sent',
      run: async guest => {
        const bytes = randomBytes(4 * MiB);
        await serving(guest, bytes, async port => {
          const url = `http://${guest.pod.network.node}:${port}/`;
          assert.match(await guest.shell(`wget -q -O - ${url} | sha256sum`), new RegExp(sha256(bytes)));
        });
      },
    },
    {
      name: 'what it writes to its disk and flushes is on the volume, and it reads back the same',
      run: async guest => {
        assert.equal(await guest.shell('cat /sys/block/vda/size'), String((16 * MiB) / 512));
        await guest.shell('dd if=/dev/urandom of=/dev/vda bs=1M count=8 conv=fsync 2>/dev/null');
        const disk = await readFile(guest.claimFile('data'));
        await guest.shell('echo 3 >/proc/sys/vm/drop_caches');
        assert.match(await guest.shell('sha256sum /dev/vda'), new RegExp(`^${sha256(disk)}`));
        assert.notEqual(sha256(disk.subarray(0, 8 * MiB)), sha256(Buffer.alloc(8 * MiB)));
      },
    },
    {
      name: 'the counters of its disk, its vCPU and its network are published',
      run: async (guest, stage) => {
        const {disks, vcpuThreads} = await guest.engine.stats();
        const data = disks.find(({disk}) => disk === 'data');
        assert.ok(data !== undefined && data.writtenBytes >= 8 * MiB && data.readBytes >= 16 * MiB);
        assert.ok(data.flushes > 0);
        assert.deepEqual(
          vcpuThreads.map(({vcpu}) => vcpu),
          [0],
        );
        const metrics = await stage.metrics();
        const value = (name: string): number =>
          Number(
            new RegExp(`^kubevirt_vmi_${name}\\{[^}]*name="${guest.name}"[^}]*\\} (\\S+)$`, 'm').exec(metrics)?.[1],
          );
        assert.ok(value('storage_write_traffic_bytes_total') >= 8 * MiB);
        assert.ok(value('vcpu_seconds_total') > 0);
        assert.ok(value('network_receive_bytes_total') > 4 * MiB || value('network_transmit_bytes_total') > 4 * MiB);
        assert.ok(value('memory_resident_bytes') > 30 * MiB);
      },
    },
    {
      name: 'it stands still while it is paused, and goes on as if nothing had been',
      run: async guest => {
        const before = await guest.info();
        await guest.engine.pause();
        assert.equal((await guest.engine.describe()).state, 'paused');
        await guest.until(() => assert.equal(guest.condition('Paused'), 'True'));
        const written = (await guest.engine.stats()).disks.map(({writtenBytes}) => writtenBytes);
        await assert.rejects(guest.info());
        assert.deepEqual(
          (await guest.engine.stats()).disks.map(({writtenBytes}) => writtenBytes),
          written,
        );
        await guest.engine.resume();
        assert.equal((await guest.engine.describe()).state, 'running');
        assert.equal((await guest.answers()).bootId, before.bootId);
        await guest.until(() => assert.notEqual(guest.condition('Paused'), 'True'));
      },
    },
    {
      name: 'a pause that its annotation asks for is carried out, and taken back',
      run: async (guest, {api}) => {
        api.patch(guest.name, {metadata: {annotations: {'wherry.dev/paused': 'true'}}});
        await guest.until(() => assert.equal(guest.condition('Paused'), 'True'));
        api.patch(guest.name, {metadata: {annotations: {'wherry.dev/paused': 'false'}}});
        await guest.until(() => assert.notEqual(guest.condition('Paused'), 'True'));
        await guest.answers();
      },
    },
    {
      name: 'a daemon that comes back adopts it, writes nothing, and the guest notices nothing',
      run: async (guest, stage) => {
        // Its agent is known and said before: what the daemon has to say of that must be said. Not each engine has a channel for it.
        if (stage.subject.engine === 'qemu')
          await guest.until(() => assert.equal(guest.condition('AgentConnected'), 'True'));
        const before = await guest.info();
        const engine = await guest.enginePid();
        await stage.stopDaemon();
        const {version} = stage.api;
        assert.equal((await guest.info()).bootId, before.bootId);
        stage.startDaemon();
        await guest.until(() => assert.equal(guest.view.at, 'connected'));
        await sleep(A_WHILE_MS);
        assert.equal((await guest.engine.describe()).state, 'running');
        assert.equal(await guest.enginePid(), engine);
        assert.equal((await guest.info()).bootId, before.bootId);
        assert.equal(stage.api.version, version);
      },
    },
    {
      name: 'it boots anew in the same engine when it reboots',
      run: guest => bootsAnew(guest, async () => guest.pod.type('reboot\n')),
    },
    {
      name: 'it boots anew in the same engine when it is reset',
      run: guest => bootsAnew(guest, () => guest.engine.reset()),
    },
    {
      name: 'its disk has outlived both',
      run: async guest => {
        const disk = await readFile(guest.claimFile('data'));
        assert.match(await guest.shell('sha256sum /dev/vda'), new RegExp(`^${sha256(disk)}`));
      },
    },
    {
      name: 'the power button shuts it down, and the end of its engine is reported',
      run: async guest => {
        await guest.engine.shutdown(60);
        assert.equal(await guest.pod.exited, 20);
        await guest.over();
      },
    },
  ],
};
