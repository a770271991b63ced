/** The native engine, which needs no cluster: in a lab node, and as far as this machine's own KVM goes. */
import {execFile} from 'node:child_process';
import {accessSync, constants} from 'node:fs';
import {mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {tinyParts} from '../../../images/tiny/parts.ts';
import type {Progress} from '../../../scripts/core/progress.ts';
import {bundle} from '../../lab/harness/bundle.ts';
import {Lab} from '../../lab/harness/lab.ts';
import {bareGuest} from '../../lab/harness/native/bare.ts';
import {nativeFiles} from '../../lab/harness/native/guest.ts';
import {haltingKernel} from '../../lab/harness/native/halting-kernel.ts';
import {CLOSURE} from '../../lab/harness/node-image.ts';
import type {Section} from '../figure.ts';
import type {Costs} from './costs.ts';
import {EMPTY, EMULATED, sizeSection, speedSection, startSection} from './sections.ts';
import type {Speeds} from './speed.ts';

const RUN_MS = 600_000;
const here = (file: string): string => join(import.meta.dirname, file);

export const measureNative = async (progress: Progress): Promise<readonly Section[]> => {
  const scratch = await mkdtemp(join(tmpdir(), 'wherry-bench-'));
  try {
    const {kernel, packedKernel} = await tinyParts(progress);
    const halting = join(scratch, 'halting');
    await writeFile(halting, haltingKernel());
    const kernels = {
      [EMPTY]: halting,
      'Debian’s, unpacked (vmlinux)': kernel,
      'Debian’s, as it comes (bzImage)': packedKernel,
    };
    const native = await nativeFiles(progress, scratch);
    const vmm = native['wherry-vmm'] ?? '';
    const own = await ownCosts(progress, {vmm, kernels, scratch});
    const {costs, speeds} = await inLab(progress, {native, kernels, scratch});
    return [
      ...(own === undefined ? [] : [startSection(own, 'on this machine’s own KVM')]),
      startSection(costs, EMULATED),
      sizeSection(speeds, (await stat(vmm)).size),
      speedSection(speeds),
    ];
  } finally {
    await rm(scratch, {recursive: true, force: true});
  }
};

interface Given {
  readonly kernels: Readonly<Record<string, string>>;
  readonly scratch: string;
}

/** A KVM that runs guests badly makes them all the same, and gets as far as their first instruction. */
async function ownCosts(
  progress: Progress,
  {vmm, kernels, scratch}: Given & {readonly vmm: string},
): Promise<Costs | undefined> {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    progress.note('this machine’s own KVM is left out (needs /dev/kvm)');
    return undefined;
  }
  const outcome = join(scratch, 'costs.json');
  await progress.step('start the native engine on this machine’s own KVM', () =>
    promisify(execFile)(process.execPath, [here('costs.ts'), vmm, JSON.stringify(kernels), outcome]),
  );
  return JSON.parse(await readFile(outcome, 'utf8')) as Costs;
}

async function inLab(
  progress: Progress,
  {native, kernels, scratch}: Given & {readonly native: Record<string, string>},
): Promise<{costs: Costs; speeds: Speeds}> {
  const bare = await bareGuest(progress, scratch);
  const names = Object.keys(kernels);
  for (const program of ['costs', 'speed']) {
    const file = join(scratch, `${program}.mjs`);
    await bundle(here(`${program}.ts`), file);
    native[`native/${program}.mjs`] = file;
  }
  const files = {
    ...native,
    ...Object.fromEntries(names.map((name, index) => [`kernel${index}`, kernels[name] ?? ''])),
    vmlinux: bare.kernel,
    initrd: bare.initrd,
  };
  await using lab = await Lab.boot({name: 'bench', files, progress});
  const run = async <T>(program: string, given: readonly (string | object)[]): Promise<T> => {
    const outcome = `/run/${program}.json`;
    const args = given.map(one => (typeof one === 'string' ? one : JSON.stringify(one)));
    const argv = ['node', `/payload/native/${program}.mjs`, ...args, outcome];
    const ended = await progress.step(`measure in the lab node: ${program}`, () => lab.run(argv, {timeoutMs: RUN_MS}));
    if (ended.status !== 0) throw new Error(`${program}: ${ended.stdout}\n${ended.stderr}\n${await lab.log()}`);
    return JSON.parse((await lab.read(outcome)).toString()) as T;
  };
  const vmm = '/payload/wherry-vmm';
  const inNode = Object.fromEntries(names.map((name, index) => [name, `/payload/kernel${index}`]));
  const costs = await run<Costs>('costs', [vmm, inNode]);
  const paths = {vmm, closure: CLOSURE, kernel: '/payload/vmlinux', initrd: '/payload/initrd'};
  return {costs, speeds: await run<Speeds>('speed', [paths])};
}
