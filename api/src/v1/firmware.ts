/** How the guest starts. */
import {object, optional, string} from '../schema/index.ts';
import {kernelBoot} from './kernel-boot.ts';

export const firmware = object('How the guest starts.', {
  uuid: optional(
    string(
      'UUID of the machine (SMBIOS). Defaults to one derived from the uid of the VirtualMachine, the same at each start.',
      {
        maxLength: 36,
        rules: [
          {
            rule: "self.matches('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')",
            message: 'must be a UUID, as 5d307ca9-b3ef-428c-8861-06e72d69f223',
          },
        ],
      },
    ),
  ),
  kernelBoot: optional(kernelBoot),
});
