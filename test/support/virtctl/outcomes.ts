import {spawn} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {kindMessage, refusedKind} from '@wherry/api';
import {parse} from 'yaml';
import {post, type AdminAccess} from '../control-plane/admin.ts';
import {reasonsIn} from '../examples/outcomes.ts';
import type {AnyObject} from '../examples/manifests.ts';
import {run} from '../kubectl.ts';
import {type Command, commands} from './commands.ts';
import {flagCases, passwordFile} from './flags.ts';

/** What becomes of a manifest that virtctl makes. */
export interface FlagOutcome {
  /** After `virtctl create`. */
  readonly args: readonly string[];
  /** What it made. */
  readonly object: AnyObject;
  /** Why it is refused; empty where it applies. */
  readonly why: readonly string[];
}

const machines = '/apis/kubevirt.io/v1/namespaces/default/virtualmachines';

/** Other kinds that virtctl makes manifests of. */
const otherKinds: readonly (readonly string[])[] = [
  ['instancetype', '--name=small', '--cpu=1', '--memory=1Gi'],
  ['instancetype', '--name=small', '--cpu=1', '--memory=1Gi', '--namespaced'],
  ['preference', '--name=linux', '--cpu-topology=sockets'],
  ['preference', '--name=linux', '--cpu-topology=sockets', '--namespaced'],
  ['clone', '--name=copy', '--source-name=vm', '--target-name=other'],
];

/** Makes a manifest with every flag, and asks the API server about each as strictly as kubectl does. Nothing is stored. */
export const flagOutcomes = async (virtctl: string, admin: AdminAccess): Promise<readonly FlagOutcome[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'wherry-virtctl-'));
  try {
    await writeFile(join(folder, passwordFile), 'secret\n');
    const calls = [...flagCases.map(args => ['vm', ...args]), ...otherKinds];
    const outcomes: FlagOutcome[] = [];
    for (const args of calls) outcomes.push(await flagOutcome(virtctl, admin, folder, args));
    return outcomes;
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
};

const flagOutcome = async (
  virtctl: string,
  admin: AdminAccess,
  folder: string,
  args: readonly string[],
): Promise<FlagOutcome> => {
  const real = args.map(arg => arg.replace(`=${passwordFile}`, `=${join(folder, passwordFile)}`));
  const object = parse(
    await run(virtctl, ['create', ...real], '', {...process.env, KUBECONFIG: '/dev/null'}),
  ) as AnyObject;
  const kind = refusedKind(object.apiVersion, object.kind);
  if (kind !== undefined) return {args, object, why: [kindMessage(kind)]};
  const answer = await post(admin, `${machines}?dryRun=All&fieldValidation=Strict`, object);
  return {args, object, why: answer.status < 300 ? [] : reasonsIn(answer)};
};

/** What a command of virtctl came to. */
export interface CommandOutcome extends Command {
  /** What it says. Empty where it does what it is for, undefined where it was not tried. */
  readonly says: string | undefined;
}

/** Tries every command against a cluster with one machine, `vm`, that is not running. */
export const commandOutcomes = async (virtctl: string, kubeconfig: string): Promise<readonly CommandOutcome[]> => {
  const outcomes: CommandOutcome[] = [];
  for (const command of commands) {
    const {name, args} = command;
    outcomes.push({...command, says: args && (await complaint(virtctl, [name, ...args], kubeconfig))});
  }
  return outcomes;
};

/** The end of what the command says where it fails. */
const complaint = (virtctl: string, args: readonly string[], kubeconfig: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(virtctl, args, {
      env: {...process.env, KUBECONFIG: kubeconfig},
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 20_000,
    });
    let text = '';
    child.stderr.on('data', chunk => (text += chunk));
    child.once('error', reject);
    child.once('close', code => {
      if (code === null) reject(new Error(`virtctl ${args.join(' ')} did not end within 20 s: ${text}`));
      else resolve(code === 0 ? '' : text.trimEnd().split('\n').at(-1)!.trim());
    });
  });

/** The names of the commands in the tool's help, or of the flags in that of a command. */
export const helpOf = async (virtctl: string, ...command: readonly string[]): Promise<readonly string[]> => {
  const help = await run(virtctl, [...command, '--help']);
  const pattern = command.length === 0 ? /^ {2}([a-z][a-z-]+) +\S/gm : /^ {2}(?:-\w, | {4})(--[a-z-]+)/gm;
  return [...help.matchAll(pattern)].map(([, name]) => name!);
};
