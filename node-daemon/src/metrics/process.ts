/** CPU and memory of an engine process, as the host's /proc counts them. Everything is undefined once it is gone. */
import {readdir, readFile} from 'node:fs/promises';

/** Ticks of /proc/<pid>/stat in a second: USER_HZ, 100 on every Linux that is built for x86-64. */
const USER_HZ = 100;
const NANO = 1e9;

export interface CpuTimes {
  readonly userSeconds: number;
  readonly systemSeconds: number;
}

export interface ThreadTimes extends CpuTimes {
  /** Ready to run, but waiting for a CPU of the host. */
  readonly delaySeconds: number;
}

const read = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);

/** The text may hold anything in the name of the program, which ends with the last parenthesis. */
export const cpuTimes = (stat: string): CpuTimes => {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Fields 14 and 15 of proc_pid_stat(5); the first one here is the third.
  return {userSeconds: Number(fields[11]) / USER_HZ, systemSeconds: Number(fields[12]) / USER_HZ};
};

/** The process's number in its innermost PID namespace. */
export const innerPid = (status: string): number | undefined => {
  const numbers = /^NSpid:\s(?<numbers>.*)$/m.exec(status)?.groups?.['numbers'];
  return numbers === undefined ? undefined : Number(numbers.split('\t').at(-1));
};

export const residentBytes = (status: string): number | undefined => {
  const kib = /^VmRSS:\s+(?<kib>\d+) kB$/m.exec(status)?.groups?.['kib'];
  return kib === undefined ? undefined : Number(kib) * 1024;
};

/**
 * The engine among the launcher's children. The launcher knows it by its number inside the pod, which is looked for only
 * among those, so that a lie leads to no other process.
 */
export const engineProcess = async (launcherPid: number, inner: number): Promise<number | undefined> => {
  const children = await read(`/proc/${launcherPid}/task/${launcherPid}/children`);
  for (const pid of (children ?? '').trim().split(' ').filter(Boolean).map(Number)) {
    const status = await read(`/proc/${pid}/status`);
    if (status !== undefined && innerPid(status) === inner) return pid;
  }
  return undefined;
};

export interface ProcessUse extends CpuTimes {
  readonly residentBytes: number;
}

export const processUse = async (pid: number): Promise<ProcessUse | undefined> => {
  const [stat, status] = await Promise.all([read(`/proc/${pid}/stat`), read(`/proc/${pid}/status`)]);
  const resident = status === undefined ? undefined : residentBytes(status);
  return stat === undefined || resident === undefined ? undefined : {...cpuTimes(stat), residentBytes: resident};
};

/** Times of the process's threads, by their number inside the pod. */
export const threadTimes = async (pid: number): Promise<ReadonlyMap<number, ThreadTimes>> => {
  const tasks = await readdir(`/proc/${pid}/task`).catch(() => []);
  const found = await Promise.all(
    tasks.map(async task => {
      const folder = `/proc/${pid}/task/${task}`;
      const [stat, status, schedule] = await Promise.all(
        ['stat', 'status', 'schedstat'].map(file => read(`${folder}/${file}`)),
      );
      const inner = status === undefined ? undefined : innerPid(status);
      if (stat === undefined || inner === undefined) return undefined;
      const delaySeconds = Number(schedule?.split(' ')[1] ?? 0) / NANO;
      return [inner, {...cpuTimes(stat), delaySeconds}] as const;
    }),
  );
  return new Map(found.filter(one => one !== undefined));
};
