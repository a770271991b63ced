/** Counts the engines of every machine on all nodes, from outside, all the time. */
import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import {setTimeout as sleep} from 'node:timers/promises';

/** What docker says while a node is restarted comes between the lines that begin so. */
const mark = 'engines:';

/** In bash, prints one line each time: the names of all guests that a QEMU process runs for. It starts nothing but `sleep`. */
const list = `while :; do
  line=
  for p in /proc/[0-9]*; do
    read -r comm 2>/dev/null <$p/comm || continue
    case $comm in qemu-system*) ;; *) continue ;; esac
    args=()
    mapfile -d '' args 2>/dev/null <$p/cmdline
    [[ "\${args[*]}" =~ -name\\ guest=([^,\\ ]*) ]] && line+=" \${BASH_REMATCH[1]}"
  done
  echo "${mark}$line"
  sleep 0.2
done`;

export class EngineWatch {
  readonly #nodes: readonly string[];
  /** By node, what runs there now: one entry for each process. */
  readonly #now = new Map<string, readonly string[]>();
  readonly #most = new Map<string, number>();
  readonly #watchers = new Set<ChildProcessWithoutNullStreams>();
  #closed = false;
  #samples = 0;

  constructor(nodes: readonly string[]) {
    this.#nodes = nodes;
    for (const node of nodes) this.#watch(node);
  }

  /** How many times a node was looked at. */
  get samples(): number {
    return this.#samples;
  }

  /** The most engines that were ever seen at once of this machine, on all nodes together. */
  most(machine: string): number {
    return this.#most.get(machine) ?? 0;
  }

  /** Machines that ever had more than one. */
  get doubled(): readonly string[] {
    return [...this.#most].filter(([, most]) => most > 1).map(([machine, most]) => `${machine}: ${most}`);
  }

  /** How many run of this machine now. */
  count(machine: string): number {
    return this.#nodes.flatMap(node => this.#now.get(node) ?? []).filter(one => one === machine).length;
  }

  close(): void {
    this.#closed = true;
    for (const watcher of this.#watchers) watcher.kill();
  }

  #watch(node: string): void {
    const watcher = spawn('docker', ['exec', node, 'bash', '-c', list]);
    this.#watchers.add(watcher);
    let rest = '';
    watcher.stdout.on('data', chunk => {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith(mark)) this.#seen(node, line.slice(mark.length));
    });
    watcher.once('close', () => {
      this.#watchers.delete(watcher);
      // The node is being restarted: nothing runs there until it can be asked again.
      this.#now.delete(node);
      if (!this.#closed) void sleep(200).then(() => (this.#closed ? undefined : this.#watch(node)));
    });
  }

  #seen(node: string, line: string): void {
    this.#samples++;
    this.#now.set(
      node,
      line.split(' ').filter(machine => machine !== ''),
    );
    for (const machine of this.#now.get(node) ?? [])
      this.#most.set(machine, Math.max(this.most(machine), this.count(machine)));
  }
}
