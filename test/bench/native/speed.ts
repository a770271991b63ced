/** `node speed.mjs PATHS OUTCOME`, in a lab node: the same work on a guest of either engine, by turns. PATHS is a JSON object. */
import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
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
const STREAM_MS = 120_000;
const PORT = 1000;

const zeros = Buffer.alloc(STREAM_MIB * 1024 ** 2);

type Work = (guest: Guest) => Promise<number>;

/** A connection to the guest, once it listens. */
const connected = async (host: string): Promise<Socket> => {
  for (const signal = AbortSignal.timeout(STREAM_MS); ; await sleep(50, undefined, {signal})) {
    const socket = connect(PORT, host);
    const refused = await once(socket, 'connect').then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error,
    );
    if (refused === undefined) return socket;
    if (refused.code !== 'ECONNREFUSED') throw refused;
  }
};

const toGuest =
  (carrier: Carrier): Work =>
  async guest => {
    guest.typeTimed(`nc -l -p ${PORT} >/dev/null`);
    const socket = await connected(guest.ends[carrier].guest);
    const began = performance.now();
    socket.resume().end(zeros);
    await once(socket, 'close', {signal: AbortSignal.timeout(STREAM_MS)});
    const seconds = (performance.now() - began) / 1000;
    await guest.took();
    return seconds;
  };

const fromGuest =
  (carrier: Carrier): Work =>
  async guest => {
    const {node} = guest.ends[carrier];
    const server = createServer(socket => socket.resume()).listen(0, node);
    await once(server, 'listening');
    const {port} = server.address() as AddressInfo;
    const count = STREAM_MIB * 16;
    const seconds = await guest.timed(`dd if=/dev/zero bs=64k count=${count} 2>/dev/null | nc ${node} ${port}`);
    server.close();
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

/** One guest at a time: with two, the emulated CPU delivers an interrupt in KVM's hands, and the node's kernel dies of it. */
const runOf = async (boot: () => Promise<Guest>): Promise<{besideKiB: number; seconds: Record<string, number>}> => {
  const guest = await boot();
  try {
    await guest.booted();
    const besideKiB = guest.besideKiB();
    const seconds: Record<string, number> = {};
    for (const [name, one] of Object.entries(works)) seconds[name] = await one(guest);
    return {besideKiB, seconds};
  } finally {
    await guest.end();
  }
};

const [paths = '{}', outcome = ''] = process.argv.slice(2);
const engines = ['native', 'qemu'] as const;
// In memory, so that no storage is measured.
for (const engine of engines) writeFileSync(`/run/${engine}.raw`, randomBytes(DISK_MIB * 1024 ** 2));
const given = JSON.parse(paths) as Paths;
const boots = {
  native: () => Guest.onNative(given, '/run/native.raw'),
  qemu: () => Guest.onQemu(given, '/run/qemu.raw'),
};
const rounds: Record<(typeof engines)[number], Awaited<ReturnType<typeof runOf>>>[] = [];
for (let round = 0; round < ROUNDS; round += 1) {
  // Each engine is the first every other time.
  const order = round % 2 === 0 ? engines : engines.toReversed();
  const runs: Partial<(typeof rounds)[number]> = {};
  for (const engine of order) runs[engine] = await runOf(boots[engine]);
  rounds.push(runs as (typeof rounds)[number]);
}
const last = rounds.at(-1)!;
const besideKiB = {native: last.native.besideKiB, qemu: last.qemu.besideKiB};
const work = Object.fromEntries(
  Object.keys(works).map(name => [
    name,
    rounds.map(({native, qemu}) => ({native: native.seconds[name]!, qemu: qemu.seconds[name]!})),
  ]),
);
writeFileSync(outcome, JSON.stringify({besideKiB, work} satisfies Speeds));
process.exit(0);
