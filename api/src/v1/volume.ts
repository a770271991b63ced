/** Volumes: the data behind disks. */
import {dnsLabel, dnsSubdomain, type Infer, object, optional, quantity} from '../schema/index.ts';
import {cloudInitNoCloud} from './cloud-init.ts';
import {count} from './count.ts';
import {image, imagePath, imagePullPolicy, imagePullSecret} from './image.ts';

const containerDisk = object('A disk image in a container image. What the guest writes is lost when it stops.', {
  image: image('The container image.'),
  path: optional(imagePath('Path of the disk image in the container image. Defaults to the only file in /disk.')),
  imagePullPolicy: optional(imagePullPolicy),
  imagePullSecret: optional(imagePullSecret),
});

const persistentVolumeClaim = object(
  'A claim with a filesystem that holds the disk as disk.img; the file is made on an empty claim.',
  {claimName: dnsSubdomain('Name of the claim in the same namespace.')},
);

const emptyDisk = object('A disk that is empty at each start and lives as long as the run.', {
  capacity: quantity('Size of the disk, as 2Gi.', {
    rules: [{rule: "quantity(string(self)).isGreaterThan(quantity('0'))", message: 'must be more than 0, as 2Gi'}],
  }),
});

const sources = {containerDisk, persistentVolumeClaim, emptyDisk, cloudInitNoCloud};

export const volume = object(
  'Data behind a disk.',
  {
    name: dnsLabel('Name of the volume, by which a disk refers to it.', {
      rules: [
        {
          rule: "!self.startsWith('wherry-')",
          message: 'names that begin with wherry- are reserved for volumes of the pod: choose another name',
          reason: 'FieldValueForbidden',
        },
      ],
    }),
    containerDisk: optional(sources.containerDisk),
    persistentVolumeClaim: optional(sources.persistentVolumeClaim),
    emptyDisk: optional(sources.emptyDisk),
    cloudInitNoCloud: optional(sources.cloudInitNoCloud),
  },
  {
    rules: [
      {
        rule: `${count(Object.keys(sources))} == 1`,
        message: `exactly one source must be given, of ${Object.keys(sources).join(', ')}`,
      },
    ],
  },
);
export type Volume = Infer<typeof volume>;
