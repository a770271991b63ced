/**
 * `node cycles.mjs VMM KERNEL DISK COUNT OUTCOME`, in a lab node: guests come and go, one after the other, each with a disk and a card,
 * every other one with vhost-net; and what the node holds before, between and after.
 */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, openSync, readFileSync, writeFileSync} from 'node:fs';
import type {Socket} from 'node:net';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import {openDevice} from './open.ts';

/** By the whole node, this program included. */
export interface Held {
  readonly files: number;
  readonly threads: number;
  /** KiB by their names in `/proc/meminfo`. */
  readonly memory: Readonly<Record<string, number>>;
  /** KiB, of this program. */
  readonly own: number;
}

export interface Cycles {
  /** After the warm-up, after half of the guests, and after all. */
  readonly held: readonly [Held, Held, Held];
  /** For one guest, from its process's start to its end. */
  readonly milliseconds: number;
}

/** What programs hold, and what the kernel cannot take back: caches are neither. */
const KINDS = [
  'AnonPages',
  'Shmem',
  'KernelStack',
  'PageTables',
  'SecPageTables',
  'SUnreclaim',
  'Percpu',
  'VmallocUsed',
];
/** Caches are filled and pools made by then. */
const WARM_UP = 20;
/** The kernel frees some things when it comes to it. */
const SETTLE_MS = 1000;
const LOOKS = 3;

const [vmm = '', kernel = '', disk = '', count = '', outcome = ''] = process.argv.slice(2);

async function guest(vhost: boolean): Promise<void> {
  const stdio: ('ignore' | 'inherit' | 'pipe' | number)[] = ['ignore', 'inherit', 'inherit'];
  const opened: number[] = [];
  const pass = (fd: number): number => {
    opened.push(fd);
    return stdio.push(fd) - 1;
  };
  const control = stdio.push('pipe') - 1;
  const serial = stdio.push('pipe') - 1;
  const devices = [
    {kind: 'net', name: 'net', tap: 'cycle0', vhost, mac: '02:00:00:00:00:09'},
    {kind: 'block', name: 'disk', path: disk},
    {kind: 'rng'},
  ].map(device => openDevice(device, pass));
  const machine = {
    memory: 64 * 1024 ** 2,
    cpus: 2,
    kvm: pass(openSync('/dev/kvm', 'r+')),
    control,
    serial,
    boot: {kernel: pass(openSync(kernel, 'r'))},
    devices,
  };
  const engine = spawn(vmm, [JSON.stringify(machine)], {stdio});
  opened.forEach(closeSync);
  const closed = once(engine, 'close');
  const said = engine.stdio[control] as Socket;
  for (const execute of ['qmp_capabilities', 'cont']) said.write(`${JSON.stringify({execute})}\n`);
  for await (const line of createInterface({input: said}))
    if ((JSON.parse(line) as {event?: string}).event === 'RESUME') said.write('{"execute":"quit"}\n');
  const [code, signal] = (await closed) as [number | null, string | null];
  if (code !== 0) throw new Error(`a guest ended with ${signal ?? code}`);
}

const number = (path: string, pattern: RegExp): number => Number(pattern.exec(readFileSync(path, 'utf8'))?.[1]);

/** The least of some looks: what is on its way out is gone in one of them. */
async function held(): Promise<Held> {
  const looks: Held[] = [];
  for (let look = 0; look < LOOKS; look++) {
    await sleep(SETTLE_MS);
    writeFileSync('/proc/sys/vm/drop_caches', '3');
    const kib = (kind: string): number => number('/proc/meminfo', new RegExp(`^${kind}: +(\\d+)`, 'm'));
    looks.push({
      files: number('/proc/sys/fs/file-nr', /^(\d+)/),
      threads: number('/proc/loadavg', /\/(\d+) /),
      memory: Object.fromEntries(KINDS.map(kind => [kind, kib(kind)])),
      own: Math.round(process.memoryUsage.rss() / 1024),
    });
  }
  const least = (of: (look: Held) => number): number => Math.min(...looks.map(of));
  return {
    files: least(({files}) => files),
    threads: least(({threads}) => threads),
    memory: Object.fromEntries(KINDS.map(kind => [kind, least(({memory}) => memory[kind] ?? 0)])),
    own: least(({own}) => own),
  };
}

async function guests(number: number): Promise<Held> {
  for (let cycle = 0; cycle < number; cycle++) await guest(cycle % 2 === 0);
  return held();
}

const warm = await guests(WARM_UP);
const started = performance.now();
const half = await guests(Number(count) / 2);
const milliseconds = Math.round(((performance.now() - started) * 2) / Number(count));
const all = await guests(Number(count) / 2);
writeFileSync(outcome, JSON.stringify({held: [warm, half, all], milliseconds} satisfies Cycles));
