import {PodLayout} from '@wherry/api';

/** The words of QEMU, as release 10 has them, of the native engine and of the launcher, and what a person can do about them. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [
    /opening \/run\/wherry-kernel\//,
    'correct kernelPath or initrdPath in spec.domain.firmware.kernelBoot.container, or the image',
  ],
  [
    /could not (open|load) kernel|invalid kernel header|the kernel(?:'s| is| has)/,
    'correct spec.domain.firmware.kernelBoot.container.kernelPath, or the image',
  ],
  [
    /(error reading|could not (open|load)) initrd/,
    'correct spec.domain.firmware.kernelBoot.container.initrdPath, or the image',
  ],
  [
    /Cannot allocate memory/,
    'the node has not as much memory left as the guest is to have: lower spec.domain.memory.guest, or free memory there',
  ],
  [/Failed to get ("\w+" lock|shared)|cannot be locked/, 'another process uses this disk: stop the guest that has it'],
  [/No space left on device/, 'free space on that volume, or use a larger one'],
];

/** What the launcher said of a start that failed: paths as the image has them, and a remedy where one is known. */
export const startFailureText = (words: string): string => {
  const text = words.replaceAll(`${PodLayout.kernel}/`, '/');
  const remedy = remedies.find(([pattern]) => pattern.test(words))?.[1];
  return remedy === undefined ? text : `${text}: ${remedy}`;
};
