/** Volumes: the data behind disks. */
import {boolean, dnsLabel, dnsSubdomain, type Infer, object, optional, quantity, type Rule} from '../schema/index.ts';
import {cloudInitConfigDrive, cloudInitNoCloud} from './cloud-init.ts';
import {configMap, downwardApi, secret, serviceAccount, sysprep} from './config-volumes.ts';
import {count} from './count.ts';
import {image, imagePath, imagePullPolicy, imagePullSecret} from './image.ts';

const containerDisk = object('A disk image in a container image. What the guest writes is lost when it stops.', {
  image: image('The container image.'),
  path: optional(imagePath('Path of the disk image in the container image. Defaults to the only file in /disk.')),
  imagePullPolicy: optional(imagePullPolicy),
  imagePullSecret: optional(imagePullSecret),
});

const claim = {
  claimName: dnsSubdomain('Name of the claim in the same namespace.'),
  readOnly: optional(boolean('Whether the claim is only read. Defaults to false.')),
};

const persistentVolumeClaim = object(
  'A claim: with a filesystem, which holds the disk as disk.img, and on an empty claim gets it.',
  claim,
);

const ephemeral = object(
  "A disk that begins as a claim's. What the guest writes is lost when it stops; the claim is only read.",
  {
    persistentVolumeClaim: object('The claim.', claim),
  },
);

const emptyDisk = object('A disk that is empty at each start and lives as long as the run.', {
  capacity: quantity('Size of the disk, as 2Gi.', {
    rules: [{rule: "quantity(string(self)).isGreaterThan(quantity('0'))", message: 'must be more than 0, as 2Gi'}],
  }),
});

const sources = {
  containerDisk,
  persistentVolumeClaim,
  ephemeral,
  emptyDisk,
  cloudInitNoCloud,
  cloudInitConfigDrive,
  configMap,
  secret,
  downwardAPI: downwardApi,
  serviceAccount,
  sysprep,
};

/** Sources that are refused by name: what is said of them is enough. */
const refused = ['containerPath', 'dataVolume', 'downwardMetrics', 'hostDisk', 'memoryDump'];

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
    ephemeral: optional(sources.ephemeral),
    emptyDisk: optional(sources.emptyDisk),
    cloudInitNoCloud: optional(sources.cloudInitNoCloud),
    cloudInitConfigDrive: optional(sources.cloudInitConfigDrive),
    configMap: optional(sources.configMap),
    secret: optional(sources.secret),
    downwardAPI: optional(sources.downwardAPI),
    serviceAccount: optional(sources.serviceAccount),
    sysprep: optional(sources.sysprep),
  },
  {
    rules: [
      {
        rule: `${count([...Object.keys(sources), ...refused])} == 1`,
        message: `exactly one source must be given, of ${Object.keys(sources).join(', ')}`,
      },
    ],
  },
);
export type Volume = Infer<typeof volume>;

/** Rules over all volumes of a guest. */
export const volumeRules: readonly Rule[] = [
  {
    rule: 'self.filter(one, has(one.serviceAccount)).size() <= 1',
    message: 'at most one volume may be a serviceAccount: the pod of the guest runs as one account',
  },
];
