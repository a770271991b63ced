/** Everything that is measured of one guest at one scrape. */
import type {VirtualMachineInstance} from '@wherry/api';
import type {Host, InterfaceCounters} from '@wherry/native';
import type {EngineStats} from '../engine/engine.ts';
import type {Guest} from '../guest/reconciler.ts';
import {engineProcess, type ProcessUse, processUse, type ThreadTimes, threadTimes} from './process.ts';

export interface VcpuSample extends ThreadTimes {
  readonly vcpu: number;
}

export interface GuestSample {
  readonly vmi: VirtualMachineInstance;
  /** Parts are missing where the launcher or the engine did not answer in time. */
  readonly stats: EngineStats | undefined;
  readonly process: ProcessUse | undefined;
  readonly vcpus: readonly VcpuSample[];
  readonly interfaces: readonly {readonly name: string; readonly counters: InterfaceCounters}[];
  readonly panicked: boolean;
}

/** In milliseconds, for all that is asked about one guest. Prometheus gives a scrape 10 s. */
const TIMEOUT_MS = 2000;

/** Undefined instead of an error or when the time is over. */
const within = async <T>(work: Promise<T>, ms: number): Promise<T | undefined> => {
  const {promise, resolve} = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, ms, undefined);
  try {
    return await Promise.race([work.catch(() => undefined), promise]);
  } finally {
    clearTimeout(timer);
  }
};

export const sampleGuest = async (host: Host, guest: Guest, vmi: VirtualMachineInstance): Promise<GuestSample> => {
  const {view} = guest.link;
  const silent = {vmi, stats: undefined, process: undefined, vcpus: [], interfaces: [], panicked: false};
  if (view.at !== 'connected' || view.state !== 'Running') return silent;
  const asked = Promise.all([
    within(guest.link.engine.stats(), TIMEOUT_MS),
    within(processSample(guest), TIMEOUT_MS),
    within(interfaceSamples(host, guest, vmi), TIMEOUT_MS),
  ]);
  const [said, process, interfaces] = await asked;
  const stats = said === undefined ? undefined : believed(said, vmi);
  return {
    vmi,
    stats,
    process: process?.use,
    vcpus: (stats?.vcpuThreads ?? []).flatMap(({vcpu, thread}) => {
      const times = process?.threads.get(thread);
      return times === undefined ? [] : [{vcpu, ...times}];
    }),
    interfaces: interfaces ?? [],
    panicked: view.panicked,
  };
};

/**
 * What an engine says of the disks and vCPUs that the instance has, each once. Every name becomes a series of its own: an
 * engine that made some up would fill the daemon's memory, and that of whoever scrapes it.
 */
export const believed = (stats: EngineStats, vmi: VirtualMachineInstance): EngineStats => {
  const disks = new Map(stats.disks.map(one => [one.disk, one]));
  const threads = new Map(stats.vcpuThreads.map(one => [one.vcpu, one]));
  const {sockets = 1, cores = 1, threads: perCore = 1} = vmi.status?.currentCPUTopology ?? {};
  return {
    ...stats,
    disks: (vmi.spec.domain.devices.disks ?? []).flatMap(({name}) => disks.get(name) ?? []),
    vcpuThreads: Array.from({length: sockets * cores * perCore}).flatMap((_, vcpu) => threads.get(vcpu) ?? []),
  };
};

const processSample = async ({
  link,
}: Guest): Promise<{use: ProcessUse | undefined; threads: ReadonlyMap<number, ThreadTimes>} | undefined> => {
  const {enginePid} = await link.connection.status();
  const pid = enginePid === undefined ? undefined : await engineProcess(link.process.pid, enginePid);
  if (pid === undefined) return undefined;
  const [use, threads] = await Promise.all([processUse(pid), threadTimes(pid)]);
  return {use, threads};
};

const interfaceSamples = async (
  host: Host,
  guest: Guest,
  vmi: VirtualMachineInstance,
): Promise<GuestSample['interfaces']> => {
  const names = (vmi.status?.interfaces ?? []).map(({name = ''}) => name);
  const netns = host.netnsOf(guest.link.process);
  try {
    return await Promise.all(
      names.map(async (name, index) => ({name, counters: await host.interfaceCounters(netns, `tap${index}`)})),
    );
  } finally {
    host.close(netns);
  }
};
