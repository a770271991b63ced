/**
 * `node cycles.ts VMM KERNEL DISK COUNT OUTCOME`, in a lab node: guests come and go, one after the other, each with a disk and a card,
 * every other one with vhost-net; and what the node has before and after.
 */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, openSync, readFileSync, writeFileSync} from 'node:fs';
import type {Socket} from 'node:net';
import {createInterface} from 'node:readline';
import {setTimeout as sleep} from 'node:timers/promises';
import {openDevice} from './open.ts';

/** By the whole node. */
export interface Held {
  readonly files: number;
  readonly threads: number;
  /** Beside this program, whose heap comes and goes. */
  readonly memoryKiB: number;
}

export interface Cycles {
  readonly before: Held;
  readonly after: Held;
  /** For one guest, from its process's start to its end. */
  readonly milliseconds: number;
}

/** Caches are filled and pools made by then. */
const WARM_UP = 20;
/** The kernel frees some things when it comes to it. */
const SETTLE_MS = 3000;

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
  const [code] = (await closed) as [number | null];
  if (code !== 0) throw new Error(`a guest ended with ${code}`);
}

const number = (path: string, pattern: RegExp): number => Number(pattern.exec(readFileSync(path, 'utf8'))?.[1]);

async function held(): Promise<Held> {
  await sleep(SETTLE_MS);
  writeFileSync('/proc/sys/vm/drop_caches', '3');
  const total = number('/proc/meminfo', /^MemTotal: +(\d+)/m);
  const available = number('/proc/meminfo', /^MemAvailable: +(\d+)/m);
  return {
    files: number('/proc/sys/fs/file-nr', /^(\d+)/),
    threads: number('/proc/loadavg', /\/(\d+) /),
    memoryKiB: total - available - Math.round(process.memoryUsage.rss() / 1024),
  };
}

for (let cycle = 0; cycle < WARM_UP; cycle++) await guest(cycle % 2 === 0);
const before = await held();
const started = performance.now();
for (let cycle = 0; cycle < Number(count); cycle++) await guest(cycle % 2 === 0);
const milliseconds = Math.round((performance.now() - started) / Number(count));
writeFileSync(outcome, JSON.stringify({before, after: await held(), milliseconds} satisfies Cycles));
