import {run} from '../kubectl.ts';
import {chargeV1, chargeV2, type MemoryCharge} from './cgroup.ts';
import {type Mapping, mappingsIn} from './smaps.ts';

/** A process as the node's kernel counts it. Sizes are bytes. */
export interface Process {
  readonly pid: number;
  /** As the kernel knows it: 15 characters at most. */
  readonly program: string;
  readonly cpuSeconds: number;
  /** Milliseconds of the epoch, to 10 ms. */
  readonly startedAt: number;
  readonly resident: number;
  readonly proportional: number;
}

/** Ticks of /proc/<pid>/stat in a second. */
const ticks = 100;

/** What runs on a node of kind, seen by root on it. */
export class NodeShell {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  exec(...command: string[]): Promise<string> {
    return run('docker', ['exec', this.name, ...command]);
  }

  /** A script of sh; `args` are its $1, $2 and so on. */
  sh(script: string, ...args: string[]): Promise<string> {
    return this.exec('sh', '-c', script, 'sh', ...args);
  }

  /** The processes of a pod, the sandbox's own included. */
  async processes(podUid: string): Promise<readonly Process[]> {
    const out = await this.sh(
      `cat /proc/uptime; date +%s.%N
       for folder in $(grep -ls "pod\\($1\\|$2\\)" /proc/[0-9]*/cgroup); do
         folder=\${folder%/cgroup}
         { cat $folder/stat; grep -E '^(Rss|Pss):' $folder/smaps_rollup; } 2>/dev/null | tr '\\n' ' '
         echo
       done`,
      podUid,
      podUid.replaceAll('-', '_'),
    );
    const [uptime = '', now = '', ...rows] = out.split('\n');
    const bootedAt = (Number(now) - Number.parseFloat(uptime)) * 1000;
    return rows.flatMap(row => processIn(row, bootedAt));
  }

  /** Does something while a process stands still. */
  async standing<T>(pid: number, work: () => Promise<T>): Promise<T> {
    await this.exec('kill', '-STOP', String(pid));
    try {
      return await work();
    } finally {
      await this.exec('kill', '-CONT', String(pid));
    }
  }

  async mappings(pid: number): Promise<readonly Mapping[]> {
    return mappingsIn(await this.exec('cat', `/proc/${pid}/smaps`));
  }

  /** What the pod of this process is charged. */
  async charge(pid: number): Promise<MemoryCharge> {
    // The container's cgroup lies within the pod's.
    const out = await this.sh(
      `line=$(grep -E '^([0-9]+:memory|0:):' /proc/$1/cgroup | head -n 1)
       path=$(dirname "\${line##*:}")
       case $line in
         *:memory:*) cd "/sys/fs/cgroup/memory$path" && cat memory.usage_in_bytes memory.kmem.usage_in_bytes && cat memory.stat;;
         *) cd "/sys/fs/cgroup$path" && cat memory.current && echo v2 && cat memory.stat;;
       esac`,
      String(pid),
    );
    const [total = '', kernel = '', ...stat] = out.split('\n');
    return kernel === 'v2'
      ? chargeV2(stat.join('\n'), Number(total))
      : chargeV1(stat.join('\n'), Number(total), Number(kernel));
  }
}

/** The name of a program may hold anything, and ends with the last parenthesis. */
export const processIn = (row: string, bootedAt: number): Process[] => {
  const shape = /^(?<pid>\d+) \((?<program>.*)\) (?<rest>.*?) Rss: +(?<rss>\d+) kB Pss: +(?<pss>\d+) kB/.exec(
    row,
  )?.groups;
  if (shape === undefined) return [];
  // The first of them is the third field of proc_pid_stat(5).
  const fields = shape['rest']!.split(' ').map(Number);
  const field = (number: number): number => fields[number - 3] ?? Number.NaN;
  return [
    {
      pid: Number(shape['pid']),
      program: shape['program']!,
      cpuSeconds: (field(14) + field(15)) / ticks,
      startedAt: bootedAt + (field(22) / ticks) * 1000,
      resident: Number(shape['rss']) * 1024,
      proportional: Number(shape['pss']) * 1024,
    },
  ];
};
