/** A kernel that the guest is started with. */
import {object, optional, string} from '../schema/index.ts';
import {image, imagePath, imagePullPolicy, imagePullSecret} from './image.ts';

const kernelContainer = object('The container image that holds the kernel.', {
  image: image('The container image.'),
  kernelPath: optional(imagePath('Path of the kernel in the image.')),
  initrdPath: optional(imagePath('Path of the initial RAM disk in the image.')),
  imagePullPolicy: optional(imagePullPolicy),
  imagePullSecret: optional(imagePullSecret),
});

export const kernelBoot = object(
  'Starts the guest with this kernel instead of the boot loader of its first disk.',
  {
    kernelArgs: optional(string('Arguments of the kernel.', {maxLength: 4096})),
    container: optional(kernelContainer),
  },
  {
    rules: [
      {
        rule: 'has(self.container) || !has(self.kernelArgs)',
        message: 'kernelArgs need a kernel of their own: name it in container.image and container.kernelPath',
        fieldPath: '.kernelArgs',
      },
      {
        rule: '!has(self.container) || has(self.container.kernelPath)',
        message: 'container.kernelPath must be given: it is the kernel to boot',
        fieldPath: '.container',
        reason: 'FieldValueRequired',
      },
    ],
  },
);
