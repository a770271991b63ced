/** QEMU's answers → the engine interface's counters. Pure; every field may be missing or of another type. */
import type {DiskCounters, FailedDisk, GuestMemory} from '../engine.ts';
import {DISK_PREFIX} from '../device-names.ts';
import {isObject} from '../../launcher/frames.ts';
import {fieldsOf, listOf, type ReturnOf} from './qmp.ts';

const NANO = 1e9;

const number = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0;

/** `/machine/peripheral/disk-root/virtio-backend` and `disk-root` both mean the volume `root`. */
const diskName = (qdev: unknown): string | undefined => {
  const part = (typeof qdev === 'string' ? qdev : '').split('/').find(piece => piece.startsWith(DISK_PREFIX));
  return part?.slice(DISK_PREFIX.length);
};

export const diskCounters = (answer: ReturnOf<'query-blockstats'>): readonly DiskCounters[] =>
  listOf(answer).flatMap(({qdev, stats}) => {
    const disk = diskName(qdev);
    if (disk === undefined || !isObject(stats)) return [];
    return [
      {
        disk,
        readBytes: number(stats.rd_bytes),
        writtenBytes: number(stats.wr_bytes),
        reads: number(stats.rd_operations),
        writes: number(stats.wr_operations),
        flushes: number(stats.flush_operations),
        readSeconds: number(stats.rd_total_time_ns) / NANO,
        writeSeconds: number(stats.wr_total_time_ns) / NANO,
        flushSeconds: number(stats.flush_total_time_ns) / NANO,
      },
    ];
  });

export const failedDisks = (answer: ReturnOf<'query-block'>): readonly FailedDisk[] =>
  listOf(answer).flatMap(({qdev, 'io-status': status}) => {
    const disk = diskName(qdev);
    const failed = status === 'failed' || status === 'nospace';
    return disk === undefined || !failed ? [] : [{disk, full: status === 'nospace'}];
  });

/** Names of the balloon's statistics, by ours. QEMU fills what the driver has not said with all ones. */
const balloonStats = {
  unused: 'stat-free-memory',
  usable: 'stat-available-memory',
  available: 'stat-total-memory',
  cached: 'stat-disk-caches',
  swapIn: 'stat-swap-in',
  swapOut: 'stat-swap-out',
  majorFaults: 'stat-major-faults',
  minorFaults: 'stat-minor-faults',
} as const satisfies Partial<Record<keyof GuestMemory, string>>;

/** More than any machine has: what JSON makes of 2^64 - 1, which means "not said". */
const UNSAID = 2 ** 60;

export const guestMemory = (balloon: ReturnOf<'query-balloon'>, statistics: unknown): GuestMemory => {
  const all = isObject(statistics) ? statistics['stats'] : undefined;
  const said = isObject(all) ? all : {};
  const known = Object.entries(balloonStats).flatMap(([ours, theirs]) => {
    const value = said[theirs];
    return typeof value === 'number' && value >= 0 && value < UNSAID ? [[ours, value] as const] : [];
  });
  return {actual: number(fieldsOf(balloon).actual), ...Object.fromEntries(known)};
};

export const vcpuThreads = (
  answer: ReturnOf<'query-cpus-fast'>,
): readonly {readonly vcpu: number; readonly thread: number}[] =>
  listOf(answer).map(cpu => ({
    vcpu: number(cpu['cpu-index']),
    thread: number(cpu['thread-id']),
  }));
