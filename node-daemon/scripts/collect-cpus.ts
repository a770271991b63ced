/**
 * Asks the pinned QEMU what it knows of machines and processors and writes the answers to `schema/`, for the generator in
 * `cpu-table.ts`: `node node-daemon/scripts/collect-cpus.ts`. Run by hand when QEMU changes; it takes a minute.
 */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {gzipSync} from 'node:zlib';
import {qemuRoot} from '../../images/qemu-closure.ts';
import type {CollectedCpus, CpuidWord} from './cpu-table.ts';

/** One QEMU without a guest, by its control channel. */
class Qemu implements AsyncDisposable {
  readonly #process;
  readonly #answers;

  constructor(program: string, ...args: string[]) {
    const common = ['-nodefaults', '-no-user-config', '-display', 'none', '-S', '-accel', 'tcg', '-qmp', 'stdio'];
    this.#process = spawn(program, [...common, ...args], {stdio: ['pipe', 'pipe', 'ignore']});
    this.#answers = createInterface({input: this.#process.stdout})[Symbol.asyncIterator]();
  }

  async ask<T>(execute: string, args: object = {}): Promise<T> {
    this.#process.stdin.write(`${JSON.stringify({execute, arguments: args})}\n`);
    for (;;) {
      const {value, done} = await this.#answers.next();
      if (done === true) throw new Error(`QEMU ended before it answered ${execute}`);
      const answer = JSON.parse(value) as {return?: T; error?: {desc: string}};
      if (answer.error !== undefined) throw new Error(`${execute}: ${answer.error.desc}`);
      if (answer.return !== undefined) return answer.return;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'close');
    this.#process.kill();
    await ended;
  }
}

interface Definition {
  readonly name: string;
  readonly 'alias-of'?: string;
  readonly deprecated: boolean;
}

interface Expansion {
  readonly model: {readonly props: Readonly<Record<string, unknown>>};
}

const program = join(await qemuRoot(), 'qemu-system-x86_64');

const machines = async (): Promise<Pick<CollectedCpus, 'version' | 'machineTypes'>> => {
  await using qemu = new Qemu(program, '-machine', 'none');
  await qemu.ask('qmp_capabilities');
  const {qemu: version} = await qemu.ask<{qemu: Record<'major' | 'minor' | 'micro', number>}>('query-version');
  const types = await qemu.ask<{name: string; deprecated: boolean}[]>('query-machines');
  return {
    version: `${version.major}.${version.minor}.${version.micro}`,
    machineTypes: types.map(({name}) => name).filter(name => name.startsWith('pc-q35-')),
  };
};

/** Switched on and off, as the models have them; not what describes the processor otherwise. */
const switches = (props: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(props)
    .filter(([, value]) => value === true)
    .map(([name]) => name);

const models = async (): Promise<Pick<CollectedCpus, 'features' | 'models' | 'emulated'>> => {
  await using qemu = new Qemu(program, '-machine', 'q35', '-cpu', 'max');
  await qemu.ask('qmp_capabilities');
  const expand = async (name: string): Promise<Readonly<Record<string, unknown>>> =>
    (await qemu.ask<Expansion>('query-cpu-model-expansion', {type: 'full', model: {name}})).model.props;
  const definitions = await qemu.ask<Definition[]>('query-cpu-definitions');
  const named = definitions.map(({name}) => name).filter(name => !['base', 'max', 'host'].includes(name));
  const found = [];
  for (const name of named) {
    const props = await expand(name);
    found.push({name, vendor: String(props['vendor']), features: switches(props)});
  }
  const base = await expand('base');
  const features = Object.keys(base).filter(name => typeof base[name] === 'boolean');
  return {features, models: found, emulated: switches(await expand('max'))};
};

/** What one feature sets in the words of CPUID, whether or not emulation has it. */
const wordsOf = async (...features: string[]): Promise<readonly CpuidWord[]> => {
  const cpu = ['base', ...features.map(name => `${name}=on`)].join(',');
  await using qemu = new Qemu(program, '-machine', 'q35', '-cpu', cpu);
  await qemu.ask('qmp_capabilities');
  const get = (property: string): Promise<CpuidWord[]> =>
    qemu.ask('qom-get', {path: '/machine/unattached/device[0]', property});
  return [...(await get('feature-words')), ...(await get('filtered-features'))];
};

const key = (word: CpuidWord): string =>
  `${word['cpuid-input-eax']}/${word['cpuid-input-ecx'] ?? 0}/${word['cpuid-register']}`;

/** Which states can be saved follows from the features: words of it are none of their own. */
const isState = (word: CpuidWord): boolean => word['cpuid-input-eax'] === 0xd && word['cpuid-input-ecx'] === 0;

/** `leaf/subleaf/register/bit` of each feature that is a single bit of CPUID. */
const bits = async (features: readonly string[]): Promise<CollectedCpus['bits']> => {
  const without = new Map<string, number>();
  for (const word of await wordsOf()) without.set(key(word), (without.get(key(word)) ?? 0) | word.features);
  const found: Record<string, string> = {};
  for (const feature of features) {
    const set = new Map<string, number>();
    for (const word of (await wordsOf(feature).catch(() => [])).filter(one => !isState(one))) {
      const fresh = word.features & ~(without.get(key(word)) ?? 0);
      if (fresh !== 0) set.set(key(word), (set.get(key(word)) ?? 0) | fresh);
    }
    const [only, ...others] = [...set];
    if (only === undefined) continue;
    const bit = Math.log2(only[1] >>> 0);
    if (others.length > 0 || bit % 1 !== 0)
      throw new Error(`${feature} is more than a bit: ${JSON.stringify([...set])}`);
    found[feature] = `${only[0]}/${bit}`;
  }
  return found;
};

const known = {...(await machines()), ...(await models())};
const collected: CollectedCpus = {...known, bits: await bits(known.features)};
const file = new URL(`../schema/cpus-${collected.version}.json.gz`, import.meta.url);
await writeFile(file, gzipSync(JSON.stringify(collected), {level: 9}));
console.log(
  `${collected.models.length} models, ${collected.features.length} switches, ${Object.keys(collected.bits).length} of them bits of CPUID`,
);
