/** Every error that a script ends with on purpose. The text says what failed and what to do about it. */

/** Something is missing or wrong on this machine, and the reader can put it right. */
export class SetupError extends Error {
  readonly code = 'WHERRY_SETUP';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SetupError';
  }
}

/** A program ended with a status other than 0. `output` is the end of what it printed. */
export class CommandError extends Error {
  readonly code = 'WHERRY_COMMAND';
  readonly status: number | undefined;
  readonly output: string;

  constructor(command: string, status: number | undefined, output: string) {
    super(`${command} ${status === undefined ? 'was killed' : `ended with status ${status}`}\n${output}`.trimEnd());
    this.name = 'CommandError';
    this.status = status;
    this.output = output;
  }
}
