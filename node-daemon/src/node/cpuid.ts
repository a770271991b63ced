/** What KVM can give to a guest, from the words of CPUID that it offers. Pure. */
import {type CpuidRegister, cpuFeatureBits, CpuLabel, cpuModelNames, featuresOfModel, vendorOfModel} from '@wherry/api';

/** One entry of KVM_GET_SUPPORTED_CPUID. */
export type CpuidEntry = {readonly leaf: number; readonly subleaf: number} & Readonly<Record<CpuidRegister, number>>;

/** What QEMU gives to a guest of KVM although the entries do not offer it: KVM or QEMU itself makes it. */
const madeForGuests: readonly string[] = ['arat', 'hypervisor', 'tsc-deadline', 'x2apic'];

const hostFeatures = (cpuid: readonly CpuidEntry[]): ReadonlySet<string> => {
  const words = new Map(cpuid.map(entry => [`${entry.leaf}/${entry.subleaf}`, entry]));
  const offered = [...cpuFeatureBits].filter(([, {leaf, subleaf, register, bit}]) => {
    const word = words.get(`${leaf}/${subleaf}`)?.[register] ?? 0;
    return ((word >>> bit) & 1) === 1;
  });
  return new Set([...offered.map(([name]) => name), ...madeForGuests]);
};

/** Twelve letters in three registers of leaf 0. */
const vendorOf = (cpuid: readonly CpuidEntry[]): string => {
  const {ebx = 0, edx = 0, ecx = 0} = cpuid.find(({leaf}) => leaf === 0) ?? {};
  const text = Buffer.alloc(12);
  [ebx, edx, ecx].forEach((register, at) => text.writeUInt32LE(register, 4 * at));
  return text.toString('latin1');
};

const isVersion = (model: string): boolean => /-v\d+$/.test(model);

/** The one that has most of the CPU; a name rather than a version of it. */
const nearest = (models: readonly string[], vendor: string): string | undefined =>
  models
    .filter(model => vendorOfModel(model) === vendor)
    .toSorted(
      (a, b) => featuresOfModel(b).size - featuresOfModel(a).size || Number(isVersion(a)) - Number(isVersion(b)),
    )[0];

/** Labels of the node. Bits of models beyond CPUID do not count: a guest without them runs. */
export const cpuLabels = (cpuid: readonly CpuidEntry[]): Readonly<Record<string, string>> => {
  if (cpuid.length === 0) return {};
  const features = hostFeatures(cpuid);
  const models = cpuModelNames.filter(model => [...featuresOfModel(model)].every(feature => features.has(feature)));
  const host = nearest(models, vendorOf(cpuid));
  const names = [
    ...[...features].map(name => `${CpuLabel.feature}${name}`),
    ...models.map(name => `${CpuLabel.model}${name}`),
    ...(host === undefined ? [] : [`${CpuLabel.hostModel}${host}`]),
  ];
  return Object.fromEntries(names.map(name => [name, 'true']));
};

const prefixes = Object.values(CpuLabel);

export const isCpuLabel = (label: string): boolean => prefixes.some(prefix => label.startsWith(prefix));
