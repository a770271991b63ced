import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {CommandError} from './errors.ts';

export interface CommandOptions {
  cwd?: string;
  /** Added to this process's environment; `undefined` takes a variable out. */
  env?: Record<string, string | undefined>;
  /** What the program reads; by default it reads nothing. */
  input?: string;
  /** Called with each line of stdout and stderr as it comes. */
  onLine?: (line: string) => void;
  signal?: AbortSignal;
}

/** Enough of a failed program's output to see why it failed. */
const keptLines = 40;

/**
 * Runs a program to its end, and returns what it wrote to stdout, without the last line break.
 * @throws CommandError when the program fails or cannot be started.
 */
export async function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const {code, stdout, tail} = await finish(program, args, options);
  if (code === 0) return stdout;
  throw new CommandError([program, ...args].join(' '), code ?? undefined, tail.join('\n'));
}

/** As `run`, for a caller to whom a failure is an answer. A program that cannot be started is a failure too. */
export async function succeeds(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<boolean> {
  return run(program, args, options).then(
    () => true,
    () => false,
  );
}

interface Finished {
  code: number | null;
  stdout: string;
  tail: string[];
}

async function finish(program: string, args: readonly string[], options: CommandOptions): Promise<Finished> {
  const {input, onLine, env, ...rest} = options;
  const child = spawn(program, args, {...rest, env: {...process.env, ...env}, stdio: ['pipe', 'pipe', 'pipe']});
  // A program that ends without reading its input is not at fault.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');

  const stdout: string[] = [];
  const tail: string[] = [];
  const take = (line: string, keep?: string[]): void => {
    keep?.push(line);
    tail.push(line);
    if (tail.length > keptLines) tail.shift();
    onLine?.(line);
  };
  const out = createInterface({input: child.stdout}).on('line', line => take(line, stdout));
  const err = createInterface({input: child.stderr}).on('line', line => take(line));
  const drained = Promise.all([once(out, 'close'), once(err, 'close')]);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    await drained;
    return {code, stdout: stdout.join('\n'), tail};
  } catch (error) {
    throw new CommandError([program, ...args].join(' '), undefined, String(error));
  }
}
