import {
  cpuFeatureNames,
  cpuModelNames,
  emulatedCpuFeatures,
  featuresOfModel,
  qemuVersion,
  vendorOfModel,
} from '@wherry/api';
import {MARKER} from './generator.ts';

const row = (model: string): string => {
  const lacking = [...featuresOfModel(model)].filter(feature => !emulatedCpuFeatures.has(feature));
  return `| \`${model}\` | ${vendorOfModel(model)} | ${lacking.join(' ') || '–'} |`;
};

/** Models and features that a spec may name. */
export const processorsPage = (): string => `<!-- ${MARKER} -->

# Processors

What \`domain.cpu.model\` and \`domain.cpu.features\` may name: the models of QEMU ${qemuVersion}, and features that are a bit of CPUID.
[The guide](../guide/machine.md) says how they are used.

## Features

Those in bold are there under software emulation, too.

${cpuFeatureNames.map(name => (emulatedCpuFeatures.has(name) ? `**${name}**` : name)).join(' · ')}

## Models

| model | vendor | what software emulation lacks of it |
| --- | --- | --- |
${cpuModelNames.map(row).join('\n')}
`;
