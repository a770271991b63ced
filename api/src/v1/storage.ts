/** Disks, as the guest sees them, and the volumes behind them. */
import {
  boolean,
  defaulted,
  dnsLabel,
  dnsSubdomain,
  enumeration,
  type Infer,
  object,
  optional,
  quantity,
  type Rule,
  string,
} from '../schema/index.ts';

/** CEL: exactly one (or at most one) of these optional fields is set. */
const count = (fields: readonly string[]): string =>
  `[${fields.map(field => `has(self.${field})`).join(', ')}].filter(given, given).size()`;

/** A path inside an image: absolute, and nothing that leads out of it. */
const imagePath = (description: string) =>
  string(description, {
    minLength: 1,
    maxLength: 1024,
    rules: [
      {
        rule: "self.startsWith('/') && !self.split('/').exists(part, part == '..')",
        message: 'must be an absolute path inside the image, without ".."',
      },
    ],
  });

const image = (description: string) => string(description, {minLength: 1, maxLength: 1024});

const imagePullPolicy = enumeration(
  'When the image is fetched. Defaults to Always for the tag latest or none, else to IfNotPresent.',
  ['Always', 'IfNotPresent', 'Never'],
);

const imagePullSecret = dnsSubdomain(
  'Name of the Secret, in the same namespace, with the credentials of the registry.',
);

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

/** In bytes, decoded: what fits on the seed image of every cloud-init version. */
const INLINE_LIMIT = 2048;

/**
 * Base64 as Go decodes it: padded, with line breaks anywhere. YAML blocks end in one, and `base64` wraps its lines. A
 * pattern, because the estimated cost of a rule with `matches` is beyond what the API server allows.
 */
const BASE64 = String.raw`^(([A-Za-z0-9+/][\r\n]*){4})*(([A-Za-z0-9+/][\r\n]*){2}(=[\r\n]*){2}|([A-Za-z0-9+/][\r\n]*){3}=[\r\n]*)?$`;

const tooLong = (size: string, secret: string): readonly Rule[] => [
  {
    rule: `${size} <= ${INLINE_LIMIT}`,
    message: `inline data is limited to ${INLINE_LIMIT} bytes: put it into a Secret and name that in ${secret}`,
  },
];

// The bounds of the texts lie far above the limit, so that the rule with the remedy is what a user meets.
const inline = (what: string, secret: string) =>
  string(`${what}, in the manifest. At most ${INLINE_LIMIT} bytes.`, {
    maxLength: 65_536,
    rules: tooLong('size(bytes(self))', secret),
  });

const inlineBase64 = (what: string, secret: string) =>
  string(`${what}, in the manifest, base64-encoded. At most ${INLINE_LIMIT} bytes when decoded.`, {
    maxLength: 8192,
    pattern: BASE64,
    rules: tooLong(String.raw`size(self.replace('\n', '').replace('\r', '').replace('=', '')) * 3 / 4`, secret),
  });

const secretRef = (description: string) =>
  object(description, {name: dnsSubdomain('Name of the Secret in the same namespace.')});

const userDataSources = ['userData', 'userDataBase64', 'secretRef'];
const networkDataSources = ['networkData', 'networkDataBase64', 'networkDataSecretRef'];

const oneSource = (sources: readonly string[]): Rule => ({
  rule: `${count(sources)} <= 1`,
  message: `at most one of ${sources.join(', ')} may be given`,
});

const cloudInitNoCloud = object(
  'A small disk with the configuration that cloud-init reads in the guest.',
  {
    userData: optional(inline('User data', 'secretRef')),
    userDataBase64: optional(inlineBase64('User data', 'secretRef')),
    secretRef: optional(secretRef('A Secret with the user data under the key userdata or userData.')),
    networkData: optional(inline('Network configuration', 'networkDataSecretRef')),
    networkDataBase64: optional(inlineBase64('Network configuration', 'networkDataSecretRef')),
    networkDataSecretRef: optional(
      secretRef('A Secret with the network configuration under the key networkdata or networkData.'),
    ),
  },
  {
    rules: [
      oneSource(userDataSources),
      oneSource(networkDataSources),
      {
        rule: `${count([...userDataSources, ...networkDataSources])} > 0`,
        message: 'user data or network data must be given, as userData: "#cloud-config"',
        reason: 'FieldValueRequired',
      },
    ],
  },
);

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
export type CloudInitNoCloud = Infer<typeof cloudInitNoCloud>;

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
