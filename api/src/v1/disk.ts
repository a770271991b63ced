/** Disks, as the guest sees them. */
import {
  boolean,
  defaulted,
  enumeration,
  type Infer,
  integer,
  object,
  optional,
  type Rule,
  string,
} from '../schema/index.ts';
import {count} from './count.ts';

/** Sizes that a disk may say its blocks have: powers of two that QEMU takes. */
const BLOCK_SIZES = Array.from({length: 13}, (_, at) => 512 * 2 ** at);

const hardDisk = object(
  'A hard disk.',
  {
    bus: defaulted(
      enumeration(
        'How the guest sees the disk: by virtio, on a SATA port, or behind a virtio SCSI controller.',
        ['virtio', 'sata', 'scsi'],
        {refused: {usb: 'use virtio, sata or scsi'}},
      ),
      'virtio',
    ),
    readonly: optional(boolean('Whether the guest may only read it. Defaults to false.')),
  },
  {
    rules: [
      {
        rule: "self.bus != 'sata' || !has(self.readonly) || !self.readonly",
        message: 'a disk on sata cannot be read only: use bus virtio or scsi, or a cdrom',
        fieldPath: '.readonly',
      },
    ],
  },
);

const cdrom = object('A CD-ROM drive with the volume in it.', {
  bus: defaulted(
    enumeration('How the guest sees the drive: on a SATA port, or behind a virtio SCSI controller.', ['sata', 'scsi'], {
      refused: {virtio: 'a cdrom is on sata or scsi', usb: 'use sata or scsi'},
    }),
    'sata',
  ),
  readonly: defaulted(
    boolean('A CD-ROM is read only.', {
      rules: [{rule: 'self', message: 'a cdrom cannot be written: use disk: {} for a volume that the guest writes to'}],
    }),
    true,
  ),
});

const blockBytes = (description: string) =>
  integer(description, {
    minimum: 0,
    maximum: 2_147_483_647,
    rules: [
      {rule: `self in [${BLOCK_SIZES.join(', ')}]`, message: 'must be a power of 2 from 512 to 2097152, as 4096'},
    ],
  });

const customBlockSize = object(
  'These sizes.',
  {
    logical: blockBytes('Bytes that the guest reads and writes at once, at the least.'),
    physical: blockBytes('Bytes that the disk says it reads and writes at once.'),
    discardGranularity: optional(
      integer('Bytes that the guest gives back at once, at the least. Defaults to logical.', {
        minimum: 0,
        maximum: 2_147_483_647,
      }),
    ),
  },
  {
    rules: [
      {
        rule: 'self.logical <= self.physical',
        message: 'logical must not be larger than physical',
        fieldPath: '.logical',
      },
      {
        rule: '!has(self.discardGranularity) || self.logical == 0 || self.discardGranularity % self.logical == 0',
        message: 'discardGranularity must be a multiple of logical',
        fieldPath: '.discardGranularity',
      },
    ],
  },
);

const blockSize = object(
  'Sizes of the blocks of the disk. Defaults to 512 bytes.',
  {
    custom: optional(customBlockSize),
    matchVolume: optional(
      object('The sizes of what holds the volume.', {
        enabled: optional(boolean('Whether they are taken. Defaults to true.')),
      }),
    ),
  },
  {
    rules: [
      {
        rule: '!has(self.custom) || !has(self.matchVolume) || (has(self.matchVolume.enabled) && !self.matchVolume.enabled)',
        message: 'custom and matchVolume exclude each other: remove one of them',
      },
    ],
  },
);

/** CEL: the disk is on virtio, as one without anything else is. */
const onVirtio = "!has(self.cdrom) && (!has(self.disk) || self.disk.bus == 'virtio')";
const onSata = "(has(self.cdrom) && self.cdrom.bus == 'sata') || (has(self.disk) && self.disk.bus == 'sata')";

const rules: readonly Rule[] = [
  {
    rule: `${count(['disk', 'cdrom'])} <= 1`,
    message: 'at most one of disk or cdrom may be given, as disk: {bus: virtio}',
  },
  {
    rule: `!has(self.dedicatedIOThread) || !self.dedicatedIOThread || (${onVirtio})`,
    message: 'only a disk on virtio can have a thread of its own: use disk: {bus: virtio}',
    fieldPath: '.dedicatedIOThread',
  },
  {
    rule: `!has(self.blockSize) || !has(self.blockSize.custom) || self.blockSize.custom.logical == 512 || !(${onSata})`,
    message: 'logical must be 512 on sata: use virtio or scsi for other sizes',
    fieldPath: '.blockSize.custom.logical',
  },
  {
    rule:
      '!has(self.blockSize) || !has(self.blockSize.custom) || !has(self.blockSize.custom.discardGranularity) || ' +
      `self.blockSize.custom.discardGranularity == 512 || !(${onSata})`,
    message: 'discardGranularity must be 512 on sata: use virtio or scsi for other sizes',
    fieldPath: '.blockSize.custom.discardGranularity',
  },
  {
    rule: "!has(self.io) || self.io != 'native' || !has(self.cache) || self.cache in ['', 'none', 'directsync']",
    message: 'native needs the cache none or directsync: leave cache out',
    fieldPath: '.io',
  },
];

export const disk = object(
  'A disk of the guest: a virtio disk, unless it says something else.',
  {
    name: string('Name of the volume behind the disk.', {minLength: 1, maxLength: 63}),
    disk: optional(hardDisk),
    cdrom: optional(cdrom),
    bootOrder: optional(
      integer(
        'The guest is started from what has the lowest order. Where a disk or an interface has one, it is started from ' +
          'nothing without one; where none has, from the first disk that holds a system.',
        {minimum: 1, maximum: 2_147_483_647},
      ),
    ),
    serial: optional(
      string('Serial number that the guest sees: its first 20 characters, 36 on scsi.', {
        maxLength: 256,
        pattern: '^[A-Za-z0-9_.+-]*$',
      }),
    ),
    cache: optional(
      enumeration(
        "How the node caches the disk. none: not at all. writethrough: what is read; a write is on the storage when it is done. writeback: both; a guest's flush is honoured. directsync: not at all, and a write is on the storage when it is done. " +
          'Defaults to none for claims where their storage can do without a cache, else to writethrough.',
        ['', 'none', 'writethrough', 'writeback', 'directsync'],
      ),
    ),
    io: optional(
      enumeration(
        'How the node reads and writes: native submits to the kernel, which needs a disk without cache, threads waits in threads. Defaults to native for claims in block mode, else to threads.',
        ['', 'native', 'threads'],
      ),
    ),
    errorPolicy: optional(
      enumeration(
        'What happens when the storage fails. stop: the guest is paused. report: it is told. ignore: it is not told. enospace: it is paused where the storage is full, else told. Defaults to stop.',
        ['', 'stop', 'report', 'ignore', 'enospace'],
      ),
    ),
    blockSize: optional(blockSize),
    dedicatedIOThread: optional(boolean('Whether the disk has a thread of its own on the node. Defaults to false.')),
  },
  {rules},
);
export type Disk = Infer<typeof disk>;
