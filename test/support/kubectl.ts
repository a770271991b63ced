import {spawn, type ChildProcessWithoutNullStreams} from 'node:child_process';

export class CommandFailed extends Error {
  readonly code: number | null;
  readonly stderr: string;
  constructor(command: string, code: number | null, stderr: string) {
    super(`${command} ended with ${code}: ${stderr.trim()}`);
    this.name = 'CommandFailed';
    this.code = code;
    this.stderr = stderr;
  }
}

/** Runs a command to its end; its standard output. Throws `CommandFailed` for a code other than 0. */
export const run = (command: string, args: readonly string[], input = '', env = process.env): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {env});
    let out = '';
    let err = '';
    child.stdout.on('data', chunk => (out += chunk));
    child.stderr.on('data', chunk => (err += chunk));
    child.once('error', reject);
    child.once('close', code => {
      if (code === 0) resolve(out);
      else reject(new CommandFailed(`${command} ${args.join(' ')}`, code, err || out));
    });
    child.stdin.on('error', () => {}); // A command that does not read its input is no failure of the test.
    child.stdin.end(input);
  });

/** The user's own tool, in one namespace of the test cluster. */
export class Kubectl {
  readonly #binary: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly namespace: string;

  constructor(binary: string, kubeconfig: string, namespace: string) {
    this.#binary = binary;
    this.#env = {...process.env, KUBECONFIG: kubeconfig};
    this.namespace = namespace;
  }

  in(namespace: string): Kubectl {
    return new Kubectl(this.#binary, this.#env['KUBECONFIG'] ?? '', namespace);
  }

  run(...args: string[]): Promise<string> {
    return run(this.#binary, ['-n', this.namespace, ...args], '', this.#env);
  }

  /** The same with something on its standard input. */
  pipe(input: string, ...args: string[]): Promise<string> {
    return run(this.#binary, ['-n', this.namespace, ...args], input, this.#env);
  }

  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.run(...args, '-o', 'json')) as T;
  }

  apply(...objects: object[]): Promise<string> {
    const list = {apiVersion: 'v1', kind: 'List', items: objects};
    return run(this.#binary, ['-n', this.namespace, 'apply', '-f', '-'], JSON.stringify(list), this.#env);
  }

  /** Posts to a path of the API: what no other command does. */
  post(path: string, object: object): Promise<string> {
    return run(this.#binary, ['create', '--raw', path, '-f', '-'], JSON.stringify(object), this.#env);
  }

  mergePatch(target: string, patch: object): Promise<string> {
    return this.run('patch', target, '--type=merge', '-p', JSON.stringify(patch));
  }

  /** A kubectl that goes on running: attach, port-forward, logs -f. The caller ends it. */
  spawn(...args: string[]): ChildProcessWithoutNullStreams {
    return spawn(this.#binary, ['-n', this.namespace, ...args], {env: this.#env});
  }

  /** The same inside a pseudo-terminal, as a person at a keyboard has it. */
  spawnInTerminal(...args: string[]): ChildProcessWithoutNullStreams {
    const line = [this.#binary, '-n', this.namespace, ...args].map(part => `'${part}'`).join(' ');
    return spawn('script', ['-qfec', line, '/dev/null'], {env: this.#env});
  }
}
