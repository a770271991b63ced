import type {ChildProcessWithoutNullStreams} from 'node:child_process';
import {eventually} from './eventually.ts';

/** A person at the guest's serial console: types lines and reads what comes. */
export class Console {
  readonly #process: ChildProcessWithoutNullStreams;
  #text = '';

  constructor(process: ChildProcessWithoutNullStreams) {
    this.#process = process;
    process.stdout.on('data', chunk => (this.#text += chunk));
    process.stderr.on('data', chunk => (this.#text += chunk));
    process.stdin.on('error', () => {}); // The pod may end first.
  }

  get text(): string {
    return this.#text;
  }

  /** Waits until the pattern shows up in what came after `from` (default: all of it); returns the match. */
  async expect(pattern: RegExp, timeoutMs = 60_000, from = 0): Promise<RegExpMatchArray> {
    return eventually(
      () => {
        const match = this.#text.slice(from).match(pattern);
        if (match === null) throw new Error(`the console never showed ${pattern}; its end: ${this.#text.slice(-600)}`);
        return match;
      },
      {timeoutMs, everyMs: 100},
    );
  }

  type(text: string): void {
    this.#process.stdin.write(text);
  }

  /**
   * Runs a shell command in the guest and returns what it printed. Marks are split so that the echo does not match. What is
   * typed before the shell has shown its prompt stands there twice: the terminal echoes it, and the shell once more.
   */
  async shell(command: string, timeoutMs = 30_000): Promise<string> {
    const from = this.#text.length;
    const mark = Math.random().toString(36).slice(2, 10);
    this.type(`${command}; echo "<""${mark}:$?>"\n`);
    await this.expect(new RegExp(`<${mark}:\\d+>`), timeoutMs, from);
    const answer = this.#text.slice(from);
    const end = answer.search(new RegExp(`<${mark}:\\d+>`));
    const echo = Math.max(0, answer.lastIndexOf(`""${mark}`, end));
    return answer
      .slice(answer.indexOf('\n', echo) + 1, end)
      .replaceAll('\r', '')
      .trim();
  }

  /** The person's tool is gone from one moment to the next. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  close(): void {
    this.#process.stdin.destroy();
    this.#process.kill();
  }
}
