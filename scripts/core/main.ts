import {CommandError, SetupError} from './errors.ts';
import {type Progress, progress} from './progress.ts';

/** Runs a script's work and ends the process: with 1 and the reason where it fails. A stack is shown only for bugs. */
export async function main(work: (progress: Progress) => Promise<void>): Promise<void> {
  try {
    await work(progress());
  } catch (error) {
    const expected = error instanceof SetupError || error instanceof CommandError;
    console.error(expected ? `\n${error.message}` : error);
    process.exitCode = 1;
  }
}
