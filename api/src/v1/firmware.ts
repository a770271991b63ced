/** How the guest starts. */
import {boolean, type Infer, object, optional, string} from '../schema/index.ts';
import {kernelBoot} from './kernel-boot.ts';

const bootloader = object(
  'What runs before the operating system.',
  {
    bios: optional(
      object('SeaBIOS: the default.', {
        useSerial: optional(boolean('Whether it writes to the serial console. Defaults to false.')),
      }),
    ),
    efi: optional(
      object(
        'UEFI, without secure boot. What the guest keeps in its variables is gone with the run.',
        {secureBoot: optional(boolean('Must be false: secure boot is not supported.'))},
        {
          rules: [
            {
              rule: 'has(self.secureBoot) && !self.secureBoot',
              message:
                'secure boot, which efi means unless it says otherwise, is not supported: write efi: {secureBoot: false}',
              fieldPath: '.secureBoot',
              reason: 'FieldValueForbidden',
            },
          ],
        },
      ),
    ),
  },
  {rules: [{rule: '!has(self.bios) || !has(self.efi)', message: 'bios and efi exclude each other: remove one'}]},
);

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
  serial: optional(
    string('Serial number of the machine (SMBIOS). None unless it is given.', {
      maxLength: 256,
      rules: [{rule: "self.matches('^[A-Za-z0-9_.+-]*$')", message: 'may hold letters, digits and _ . + - only'}],
    }),
  ),
  bootloader: optional(bootloader),
  kernelBoot: optional(kernelBoot),
});
export type Firmware = Infer<typeof firmware>;
