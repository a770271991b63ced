/** What the pinned QEMU knows of machines and processors, from what `collect-cpus.ts` found. */
import {readFile} from 'node:fs/promises';
import {gunzipSync} from 'node:zlib';
import {type Generator, MARKER} from '../../scripts/generate/generator.ts';

/** A word of CPUID, as QEMU's property `feature-words` has it. */
export interface CpuidWord {
  readonly 'cpuid-input-eax': number;
  readonly 'cpuid-input-ecx'?: number;
  readonly 'cpuid-register': 'EAX' | 'EBX' | 'ECX' | 'EDX';
  readonly features: number;
}

export interface CollectedCpus {
  readonly version: string;
  readonly machineTypes: readonly string[];
  /** Everything that can be switched on a processor. */
  readonly features: readonly string[];
  readonly models: readonly {readonly name: string; readonly vendor: string; readonly features: readonly string[]}[];
  /** What software emulation has. */
  readonly emulated: readonly string[];
  /** Of a feature: `leaf/subleaf/register/bit`, in decimal. */
  readonly bits: Readonly<Record<string, string>>;
}

const COLLECTED = new URL('../schema/cpus-10.0.13.json.gz', import.meta.url);
const FILE = 'api/src/machine/cpu-table.generated.ts';

const byText = (a: string, b: string): number => (a < b ? -1 : 1);
const byVersion = (a: string, b: string): number => a.localeCompare(b, 'en', {numeric: true});

/** Leaves from 0x40000000 on are a hypervisor's own. Underscores are other spellings of dashes. */
const isFeature = ([name, bit]: readonly [string, string]): boolean =>
  !name.includes('_') && !/^1073741\d{3}\//.test(bit);

/** Older machines have no virtio 1.0, which all our devices speak. */
const OLDEST_MACHINE = 'pc-q35-2.7';

/** The set as a number in hexadecimal: bit n stands for the n-th feature. */
const mask = (names: readonly string[], features: readonly string[]): string =>
  names
    .filter(name => features.includes(name))
    .reduce((set, name) => set | (1n << BigInt(features.indexOf(name))), 0n)
    .toString(16);

export const tableText = (collected: CollectedCpus): string => {
  const features = Object.entries(collected.bits)
    .filter(isFeature)
    .toSorted(([a], [b]) => byText(a, b));
  const names = features.map(([name]) => name);
  const machineTypes = collected.machineTypes
    .filter(type => byVersion(type, OLDEST_MACHINE) >= 0)
    .toSorted((a, b) => byVersion(b, a));
  const models = collected.models.toSorted((a, b) => byVersion(a.name, b.name));
  return `// ${MARKER}
/** Machines and processors of QEMU ${collected.version}. */
export const cpuTable = {
  version: '${collected.version}',
  /** The newest first. */
  machineTypes: [
${machineTypes.map(name => `    '${name}',\n`).join('')}  ],
  /** Bits of CPUID: leaf/subleaf/register/bit. */
  features: {
${features.map(([name, bit]) => `    '${name}': '${bit}',\n`).join('')}  },
  /** Vendor, and features as a set: bit n of the number in hexadecimal stands for the n-th feature. */
  models: {
${models.map(model => `    '${model.name}': ['${model.vendor}', '${mask(model.features, names)}'],\n`).join('')}  },
  /** What software emulation has. */
  emulated: '${mask(collected.emulated, names)}',
} as const;
`;
};

export const cpuTable: Generator = {
  name: "table of QEMU's processors",
  folders: ['api/src/machine'],
  produce: async () => new Map([[FILE, tableText(JSON.parse(gunzipSync(await readFile(COLLECTED)).toString()))]]),
};
