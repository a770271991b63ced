/** Processors of the pinned QEMU: models, features, and what software emulation has of them. */
import {cpuTable} from './cpu-table.generated.ts';

export const qemuVersion: string = cpuTable.version;

/** Every feature, in a fixed order. */
export const cpuFeatureNames: readonly string[] = Object.keys(cpuTable.features);

const models: Readonly<Record<string, readonly [vendor: string, features: string]>> = cpuTable.models;
export const cpuModelNames: readonly string[] = Object.keys(models);

const namesIn = (set: string): ReadonlySet<string> => {
  const bits = BigInt(`0x${set}`);
  return new Set(cpuFeatureNames.filter((_, at) => (bits >> BigInt(at)) & 1n));
};

/** What a model has; nothing where there is no such model. */
export const featuresOfModel = (model: string): ReadonlySet<string> => namesIn(models[model]?.[1] ?? '0');

/** Who made the processor, as CPUID says it: GenuineIntel, AuthenticAMD. */
export const vendorOfModel = (model: string): string | undefined => models[model]?.[0];

/** What software emulation has. */
export const emulatedCpuFeatures: ReadonlySet<string> = namesIn(cpuTable.emulated);

export type CpuidRegister = 'eax' | 'ebx' | 'ecx' | 'edx';

/** Where a feature stands in CPUID. */
export interface CpuidBit {
  readonly leaf: number;
  readonly subleaf: number;
  readonly register: CpuidRegister;
  readonly bit: number;
}

export const cpuFeatureBits: ReadonlyMap<string, CpuidBit> = new Map(
  Object.entries(cpuTable.features).map(([name, place]) => {
    const [leaf, subleaf, register, bit] = place.split('/');
    return [
      name,
      {
        leaf: Number(leaf),
        subleaf: Number(subleaf),
        register: register?.toLowerCase() as CpuidRegister,
        bit: Number(bit),
      },
    ];
  }),
);
