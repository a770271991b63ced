import type {ChildProcessWithoutNullStreams} from 'node:child_process';
import {eventually} from './eventually.ts';
import {ShellQuestion} from './shell-question.ts';

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

  /** Runs a shell command in the guest and returns what it printed. */
  async shell(command: string, timeoutMs = 30_000): Promise<string> {
    const from = this.#text.length;
    const question = new ShellQuestion(command);
    this.type(question.line);
    return eventually(
      () => {
        const answer = question.answerIn(this.#text.slice(from));
        if (answer === undefined) throw new Error(`no answer to ${command}: ${this.#text.slice(-600)}`);
        return answer.said;
      },
      {timeoutMs, everyMs: 100},
    );
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
