/** The values of the chart: what `values.schema.json` refuses and what the reference says come from here. */
import {configSchema, type JsonSchema, pullPolicies} from '@wherry/api';
import {foreignConfiguration, leftOut} from './foreign.ts';

/** A node of a JSON schema of draft 7, as far as values need it. */
export interface ValueSchema {
  readonly description?: string;
  readonly type?: JsonSchema['type'] | readonly string[];
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly additionalProperties?: false | ValueSchema;
  readonly items?: ValueSchema;
}

type Properties = Readonly<Record<string, ValueSchema>>;

/** An object that refuses every key that it does not name. */
const group = (description: string, properties: Properties, more: ValueSchema = {}): ValueSchema => ({
  description,
  type: 'object',
  additionalProperties: false,
  ...more,
  properties,
});

const text = (description: string, value: string, more: ValueSchema = {}): ValueSchema => ({
  description,
  type: 'string',
  minLength: 1,
  ...more,
  default: value,
});

const flag = (description: string, value: boolean): ValueSchema => ({description, type: 'boolean', default: value});

const quantities: ValueSchema = {
  type: 'object',
  additionalProperties: {type: ['string', 'number'], pattern: String.raw`^[0-9.]+([KMGTPE]i|[munkMGTPE])?$`},
};

/** Parts of a pod's spec, which Kubernetes checks more closely than is written here. */
const resources = (memory: string): ValueSchema => ({
  ...group('Resources of its container.', {requests: quantities, limits: quantities}),
  default: {requests: {cpu: '20m', memory}},
});

const nodeSelector = (description: string): ValueSchema => ({
  description,
  type: 'object',
  additionalProperties: {type: 'string'},
  default: {},
});

const tolerations: ValueSchema = {
  description: 'Tolerations of its pods.',
  type: 'array',
  items: group('', {
    key: {type: 'string'},
    operator: {enum: ['Exists', 'Equal', 'Lt', 'Gt']},
    value: {type: 'string'},
    effect: {enum: ['', 'NoSchedule', 'PreferNoSchedule', 'NoExecute']},
    tolerationSeconds: {type: 'integer'},
  }),
  default: [],
};

const affinity: ValueSchema = {
  ...group('Affinity of its pods.', {
    nodeAffinity: {type: 'object'},
    podAffinity: {type: 'object'},
    podAntiAffinity: {type: 'object'},
  }),
  default: {},
};

const image = (description: string, name: string): ValueSchema =>
  text(description, `wherry/${name}:0.1.0`, {pattern: String.raw`^\S+$`});

const images = group(
  'Images, each with registry, name and tag or digest.',
  {
    operator: image('The control plane, and the hooks of the chart.', 'operator'),
    nodeDaemon: image('The agent of each node.', 'node-daemon'),
    launcher: image('What runs beside each guest. A change is for guests started from then on.', 'launcher'),
    pullPolicy: {description: 'When they are fetched.', enum: pullPolicies, default: 'IfNotPresent'},
    pullSecrets: {
      description: 'Secrets in the namespace of the release for the images of operator and node-daemon.',
      type: 'array',
      items: group('', {name: {type: 'string', minLength: 1}}, {required: ['name']}),
      default: [],
    },
  },
  {required: ['operator', 'nodeDaemon', 'launcher']},
);

/** What is written elsewhere in the values and only joins the configuration in the ConfigMap. */
const fromImages: readonly string[] = ['launcherImage', 'imagePullPolicy'];

/** The same nodes that the parts check the ConfigMap with. */
const configuration = group('Configuration of the cluster. Changes are taken while everything runs on.', {
  ...(Object.fromEntries(
    Object.entries(configSchema.json.properties ?? {}).filter(([name]) => !fromImages.includes(name)),
  ) as Properties),
  ...foreignConfiguration,
});

/** All values. Order is that of the documentation. */
export const valuesSchema: ValueSchema = group('Values of the Wherry chart.', {
  global: {description: 'Values that Helm shares between charts; not read.', type: 'object'},
  crds: group('CustomResourceDefinitions.', {
    enabled: flag(
      'Install and upgrade them with the chart. They are kept when the release is uninstalled, because deleting a ' +
        'definition deletes every object of its kind.',
      true,
    ),
  }),
  images,
  configuration,
  operator: group('The control plane.', {
    replicas: {
      description: 'Pods; one leads, the others stand by with warm caches.',
      type: 'integer',
      minimum: 1,
      maximum: 10,
      default: 2,
    },
    resources: resources('128Mi'),
    nodeSelector: nodeSelector('The nodes that its pods may run on.'),
    affinity,
    tolerations,
  }),
  nodeDaemon: group('The agent of each node.', {
    resources: resources('128Mi'),
    nodeSelector: nodeSelector('The nodes that run guests. Empty: all that the tolerations admit.'),
    tolerations,
    kubeletPods: text('Where the kubelet keeps the folders of pods.', '/var/lib/kubelet/pods', {pattern: '^/'}),
    leaseSeconds: {
      description:
        'How long a daemon may be silent, in seconds, before its node gets no new guests, and before the guests of a node ' +
        'whose kubelet is silent too are said to be of unknown state. Each daemon renews its Lease four times in that time.',
      type: 'integer',
      minimum: 8,
      maximum: 300,
      default: 40,
    },
  }),
  rbac: group('Roles for users.', {
    aggregate: flag(
      'Make kubevirt.io:view, kubevirt.io:edit and kubevirt.io:admin part of the roles view, edit and admin of Kubernetes. ' +
        'Without it they are there to be bound.',
      true,
    ),
  }),
  networkPolicy: group(
    'What the network of the cluster lets the pods of Wherry do. The traffic of guests is not touched.',
    {
      enabled: flag(
        'Let them speak with the API server and with DNS alone, and be asked for nothing but metrics.',
        true,
      ),
      metricsFrom: {
        description: 'Who may ask for metrics, as peers of a NetworkPolicy. Empty: everybody who reaches the pods.',
        type: 'array',
        items: group('', {
          namespaceSelector: {type: 'object'},
          podSelector: {type: 'object'},
          ipBlock: {type: 'object'},
        }),
        default: [],
      },
      apiServer: group('Where the API server is.', {
        ports: {
          description: 'Of its Service, and those that it listens on itself, for networks that see them instead.',
          type: 'array',
          items: {type: 'integer', minimum: 1, maximum: 65_535},
          default: [443, 6443, 8443, 16_443],
        },
        cidrs: {
          description: 'Its addresses, as 10.0.0.10/32. Empty: any.',
          type: 'array',
          items: {type: 'string', pattern: String.raw`^\S+/\d+$`},
          default: [],
        },
      }),
    },
  ),
  uninstall: group('What helm uninstall does.', {
    virtualMachines: {
      description:
        'While there are virtual machines. Keep: Wherry goes, guests run on and all objects stay, for an installation to come. ' +
        'Refuse: nothing is removed, and helm says which machines there are; helm rollback then puts the release back.',
      enum: ['Keep', 'Refuse'],
      default: 'Keep',
    },
  }),
  test: group('What helm test boots.', {
    image: text('An image with /boot/vmlinux and /boot/initrd.', 'wherry/guest-tiny:1', {pattern: String.raw`^\S+$`}),
    expect: text('What the console of the guest must show.', 'login:'),
    timeoutSeconds: {
      description: 'For each step: until it runs, until it has booted, until it is removed.',
      type: 'integer',
      minimum: 1,
      maximum: 3600,
      default: 120,
    },
  }),
  emulation: leftOut('write configuration.allowEmulation'),
  logLevel: leftOut('write configuration.logLevel'),
});
