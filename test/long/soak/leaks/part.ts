/** A part of the system in a process of its own, as its container runs it, and what it holds. */
import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, openSync, readFileSync} from 'node:fs';
import {readdir, readFile, readlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {repository} from '../../../../scripts/core/paths.ts';
import {descriptorKinds, type Inventory} from '../../../support/node/inventory.ts';

export interface PartOptions {
  /** For its credentials, its log and its temporary files. */
  readonly folder: string;
  readonly url: string;
  readonly ca: string;
  readonly token: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface PartInventory {
  /** Of an idle part they are the same again. */
  readonly counts: Inventory;
  /** Connections that nobody uses are closed after a while. */
  readonly tcpSockets: number;
}

export interface PartMemory {
  /** Of JavaScript, with what hangs on it. */
  readonly heap: number;
  /** All that is the process's own: of the native library too, and what allocators keep for later. */
  readonly resident: number;
}

export class Part {
  readonly name: string;
  readonly #child: ChildProcess;
  /** Ids of the mounts that it had at the first look. Copies of the machine's go when their folders are removed there. */
  #mounts: ReadonlySet<string> | undefined;
  #stopping = false;

  private constructor(name: string, child: ChildProcess, log: string) {
    this.name = name;
    this.#child = child;
    // Nobody starts it again: the test will fail, and this says why.
    child.once('exit', code => {
      if (!this.#stopping)
        process.stderr.write(`${name} ended with ${code}:\n${readFileSync(log, 'utf8').slice(-4000)}\n`);
    });
  }

  /** Mounts of its own: what is mounted on the machine meanwhile by others is none of its doing. */
  static async start(name: 'node-daemon' | 'operator', {folder, env, ...access}: PartOptions): Promise<Part> {
    const kubeconfig = join(folder, `${name}.kubeconfig`);
    await writeFile(kubeconfig, kubeconfigOf(access), {mode: 0o600});
    const path = join(folder, `${name}.log`);
    const log = openSync(path, 'a');
    const node = [process.execPath, '--expose-gc', '--import', join(import.meta.dirname, 'heap.ts')];
    const isolated = ['--pdeathsig', 'KILL', 'unshare', '--mount', ...node, join(repository, name, 'src/main.ts')];
    const child = spawn('setpriv', isolated, {
      stdio: ['ignore', log, log, 'ipc'],
      env: {PATH: process.env['PATH'], KUBECONFIG: kubeconfig, HEALTH_PORT: '0', METRICS_PORT: '0', ...env},
    });
    closeSync(log);
    return new Part(name, child, path);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }

  /** In bytes, without any garbage. */
  async memory(): Promise<PartMemory> {
    const answer = once(this.#child, 'message', {signal: AbortSignal.timeout(30_000)});
    this.#child.send('what do you hold?');
    const [heap] = (await answer) as [number];
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8');
    return {heap, resident: Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024};
  }

  async inventory(): Promise<PartInventory> {
    const {pid} = this.#child;
    const proc = (...path: string[]): string => join('/proc', String(pid), ...path);
    const text = (...path: string[]): Promise<string> => readFile(proc(...path), 'utf8');
    const names = await readdir(proc('fd'));
    // One that is closed meanwhile is none.
    const links = await Promise.all(names.map(fd => readlink(proc('fd', fd)).catch(() => undefined)));
    const tcp = (await text('net/tcp')) + (await text('net/tcp6'));
    const open = links.filter(link => link !== undefined);
    const {'TCP socket': tcpSockets = 0, ...kinds} = descriptorKinds(open, await text('net/unix'), tcp);
    const threads = await readdir(proc('task'));
    const children = await Promise.all(threads.map(thread => text('task', thread, 'children').catch(() => '')));
    const mounts = (await text('mountinfo')).split('\n').map(line => line.split(' ')[0] ?? '');
    this.#mounts ??= new Set(mounts);
    const counts = {
      ...kinds,
      threads: threads.length,
      'new mounts': mounts.filter(id => this.#mounts?.has(id) !== true).length,
      children: children.join('').split(' ').filter(Boolean).length,
    };
    return {counts, tcpSockets};
  }
}

const kubeconfigOf = ({url, ca, token}: Pick<PartOptions, 'url' | 'ca' | 'token'>): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{name: 'c', cluster: {server: url, 'certificate-authority-data': Buffer.from(ca).toString('base64')}}],
    users: [{name: 'u', user: {token}}],
    contexts: [{name: 'x', context: {cluster: 'c', user: 'u'}}],
    'current-context': 'x',
  });
