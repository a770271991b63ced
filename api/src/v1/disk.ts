/** Disks, as the guest sees them. */
import {boolean, defaulted, enumeration, type Infer, object, optional, string} from '../schema/index.ts';
import {count} from './count.ts';

export const disk = object(
  'A disk of the guest.',
  {
    name: string('Name of the volume behind the disk.', {minLength: 1, maxLength: 63}),
    disk: optional(
      object('A hard disk.', {
        bus: defaulted(enumeration('How the guest sees the disk: as a virtio block device.', ['virtio']), 'virtio'),
        readonly: optional(boolean('Whether the guest may only read it. Defaults to false.')),
      }),
    ),
    cdrom: optional(
      object('A CD-ROM drive with the volume in it.', {
        bus: defaulted(enumeration('How the guest sees the drive: as a SATA device.', ['sata']), 'sata'),
        readonly: defaulted(
          boolean('A CD-ROM is read only.', {
            rules: [
              {rule: 'self', message: 'a cdrom cannot be written: use disk: {} for a volume that the guest writes to'},
            ],
          }),
          true,
        ),
      }),
    ),
  },
  {
    rules: [
      {
        rule: `${count(['disk', 'cdrom'])} == 1`,
        message: 'exactly one of disk or cdrom must be given, as disk: {bus: virtio}',
      },
    ],
  },
);
export type Disk = Infer<typeof disk>;
