/** One TCP connection into a guest, through the pod network, that is never made anew. */
import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';

/** What the guest said last. */
export interface Said {
  readonly boot: string;
  readonly tick: number;
  /** The last record that the guest knows to be flushed. */
  readonly flushed: number;
}

export class Stream {
  readonly #process: ChildProcessWithoutNullStreams;
  #last: Said | undefined;
  #broken: string | undefined;
  #rest = '';
  #at = performance.now();
  #longestSilenceMs = 0;

  /** @param peer the node's container that the other end lives in. */
  constructor(peer: string, url: string) {
    this.#process = spawn('docker', ['exec', peer, 'curl', '-sSN', url]);
    this.#process.stdout.on('data', chunk => this.#receive(String(chunk)));
    let err = '';
    this.#process.stderr.on('data', chunk => (err += chunk));
    this.#process.once('close', code => (this.#broken ??= `the connection ended with ${code}: ${err.trim()}`));
  }

  get last(): Said | undefined {
    return this.#last;
  }

  /** Why nothing more can come; undefined while it is whole. */
  get broken(): string | undefined {
    return this.#broken;
  }

  /** The longest time between two pieces since this was last asked, in ms. */
  takeLongestSilence(): number {
    const longest = this.#longestSilenceMs;
    this.#longestSilenceMs = 0;
    return Math.round(longest);
  }

  close(): void {
    this.#broken ??= 'it was closed';
    this.#process.kill();
  }

  #receive(text: string): void {
    const now = performance.now();
    this.#longestSilenceMs = Math.max(this.#longestSilenceMs, now - this.#at);
    this.#at = now;
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    const [boot = '', tick, flushed] = line.split(' ');
    const said = {boot, tick: Number(tick), flushed: Number(flushed)};
    const expected = (this.#last?.tick ?? 0) + 1;
    if (said.tick !== expected) this.#broken ??= `line ${expected} is missing: ${line}`;
    if (this.#last !== undefined && said.boot !== this.#last.boot) this.#broken ??= `another boot: ${line}`;
    this.#last = said;
  }
}
