/** `node speed.ts PATHS OUTCOME`, in a lab node: the same work by turns on a guest of either engine. PATHS is a JSON object. */
import {execFile} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {promisify} from 'node:util';
import {type Carrier, carriers, Guest, type Paths} from './guests.ts';

/** In seconds, of the same work in the same round. */
export interface Pair {
  readonly native: number;
  readonly qemu: number;
}

export interface Speeds {
  readonly besideKiB: Pair;
  /** By the work, one for each round. */
  readonly work: Readonly<Record<string, readonly Pair[]>>;
}

const ROUNDS = 3;
const DISK_MIB = 32;
const SMALL_READS = 500;
const STREAM_MIB = 4;
const PORT = 1000;

const sh = (script: string): Promise<unknown> => promisify(execFile)('sh', ['-c', script], {timeout: 120_000});
const zeros = `dd if=/dev/zero bs=64k count=${STREAM_MIB * 16} 2>/dev/null`;

type Work = (guest: Guest) => Promise<number>;

const toGuest =
  (carrier: Carrier): Work =>
  async guest => {
    guest.typeTimed(`nc -l -p ${PORT} >/dev/null`);
    const there = `${guest.ends[carrier].guest} ${PORT}`;
    // The guest may not listen yet, and then nothing was sent.
    for (;;) {
      const began = performance.now();
      const sent = await sh(`${zeros} | busybox nc ${there}`).then(
        () => true,
        () => false,
      );
      if (!sent) continue;
      const seconds = (performance.now() - began) / 1000;
      await guest.took();
      return seconds;
    }
  };

const fromGuest =
  (carrier: Carrier): Work =>
  async guest => {
    const received = sh(`busybox nc -l -p ${PORT} >/dev/null`);
    const there = `${guest.ends[carrier].node} ${PORT}`;
    await sh(
      `until busybox grep -q ":${PORT.toString(16).toUpperCase().padStart(4, '0')} .* 0A " /proc/net/tcp /proc/net/tcp6; do sleep 0.1; done`,
    );
    const seconds = await guest.timed(`${zeros} | nc ${there}`);
    await received;
    return seconds;
  };

const dd =
  (options: string): Work =>
  guest =>
    guest.timed(`dd ${options} 2>/dev/null`);

const works: Readonly<Record<string, Work>> = {
  'disk, read in sequence, 1 MiB each': dd(`if=/dev/vda of=/dev/null bs=1M count=${DISK_MIB} iflag=direct`),
  'disk, written in sequence, 1 MiB each': dd(`if=/dev/zero of=/dev/vda bs=1M count=${DISK_MIB} oflag=direct`),
  'disk, read, 4 KiB each, one at a time': dd(`if=/dev/vda of=/dev/null bs=4k count=${SMALL_READS} iflag=direct`),
  ...Object.fromEntries(
    carriers.flatMap(carrier => [
      [`TCP to the guest, by ${carrier}`, toGuest(carrier)],
      [`TCP from the guest, by ${carrier}`, fromGuest(carrier)],
    ]),
  ),
};

const [paths = '{}', outcome = ''] = process.argv.slice(2);
// In memory, so that no storage is measured.
for (const engine of ['native', 'qemu']) await sh(`head -c ${DISK_MIB}M /dev/urandom >/run/${engine}.raw`);
const guests = {
  native: await Guest.onNative(JSON.parse(paths) as Paths, '/run/native.raw'),
  qemu: await Guest.onQemu(JSON.parse(paths) as Paths, '/run/qemu.raw'),
};
await Promise.all(Object.values(guests).map(guest => guest.booted()));
const besideKiB = {native: guests.native.besideKiB(), qemu: guests.qemu.besideKiB()};
const work: Record<string, Pair[]> = {};
// The first round finds cold caches, and is not counted.
for (let round = 0; round <= ROUNDS; round += 1) {
  for (const [name, one] of Object.entries(works)) {
    // Each engine is the first every other time.
    const nativeFirst = round % 2 === 0 ? await one(guests.native) : undefined;
    const qemu = await one(guests.qemu);
    const native = nativeFirst ?? (await one(guests.native));
    console.log(`${round} ${name}: ${native} ${qemu}`);
    if (round > 0) (work[name] ??= []).push({native, qemu});
  }
}
for (const {process: engine} of Object.values(guests)) engine.kill('SIGKILL');
writeFileSync(outcome, JSON.stringify({besideKiB, work} satisfies Speeds));
process.exit(0);
