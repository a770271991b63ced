/** A command for a shell at a serial console, where only marks tell the echo, the answer and the rest from each other. */
export interface Answer {
  /** What the command printed, without white space around it. */
  readonly said: string;
  /** What it ended with. */
  readonly status: number;
}

export class ShellQuestion {
  /** What is to be typed. The mark in it is split, so that its echo is no answer. */
  readonly line: string;
  readonly #mark = Math.random().toString(36).slice(2, 10);

  constructor(command: string) {
    this.line = `${command}; echo "<""${this.#mark}:$?>"\n`;
  }

  /**
   * The answer in what the console has said since, once it is there. A line that is typed before the shell has shown its
   * prompt stands there twice: the terminal echoes it, and the shell once more.
   */
  answerIn(console: string): Answer | undefined {
    const end = new RegExp(`<${this.#mark}:(\\d+)>`).exec(console);
    if (end === null) return undefined;
    const echo = Math.max(0, console.lastIndexOf(`""${this.#mark}`, end.index));
    const said = console.slice(console.indexOf('\n', echo) + 1, end.index);
    return {said: said.replaceAll('\r', '').trim(), status: Number(end[1])};
  }
}
