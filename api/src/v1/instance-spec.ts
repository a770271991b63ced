import {
  defaulted,
  enumeration,
  type Infer,
  type InferInput,
  integer,
  list,
  listMap,
  object,
  optional,
  type Rule,
  string,
  withRefusals,
} from '../schema/index.ts';
import {dnsConfig, dnsPolicy, dnsRules} from './dns.ts';
import {domain} from './domain.ts';
import {network} from './network.ts';
import {livenessProbe, probeRules, readinessProbe} from './probe.ts';
import {instanceRefusals} from './refusals/index.ts';
import {affinity, labels, toleration, topologySpreadConstraint} from './scheduling.ts';
import {volume, volumeRules} from './volume.ts';

/** Paths of optional lists below the spec. */
const disks = 'self.domain.devices.disks';
const interfaces = 'self.domain.devices.interfaces';
const volumes = 'self.volumes';
const networks = 'self.networks';

/**
 * Every element of one list has a namesake in the other. Lists are named by their paths, not through `orValue([])`, and
 * the message is a constant: only at a path does the API server know a size, and it refuses what it cannot estimate.
 */
const paired = (these: string, those: string, message: string): Rule => ({
  rule: `!has(${these}) || ${these}.all(one, has(${those}) && ${those}.exists(other, other.name == one.name))`,
  message,
  fieldPath: these.slice('self'.length),
});

/** A name of an object; an empty one is none. */
const name = (description: string) =>
  string(description, {
    maxLength: 253,
    pattern: String.raw`^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$`,
  });

const dnsLabelOrEmpty = (description: string) =>
  string(description, {maxLength: 63, pattern: '^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$'});

/** A SATA disk can always be written to, a claim that is only read cannot. */
const writableOnSata: Rule = {
  rule:
    `!has(${disks}) || !has(${volumes}) || ${disks}.all(one, !has(one.disk) || one.disk.bus != 'sata' || ` +
    `!${volumes}.exists(other, other.name == one.name && has(other.persistentVolumeClaim) && ` +
    'has(other.persistentVolumeClaim.readOnly) && other.persistentVolumeClaim.readOnly))',
  message: 'a claim that is read only cannot be a disk on sata: use bus virtio or scsi, or a cdrom',
  fieldPath: '.domain.devices.disks',
};

/** The token of a serviceAccount volume is that of the account that the pod runs as. */
const oneAccount: Rule = {
  rule:
    `!has(self.serviceAccountName) || self.serviceAccountName == '' || !has(${volumes}) || ${volumes}.all(one, ` +
    '!has(one.serviceAccount) || one.serviceAccount.serviceAccountName == self.serviceAccountName)',
  message: 'a serviceAccount volume must name the same account as serviceAccountName: leave serviceAccountName out',
  fieldPath: '.serviceAccountName',
};

const supported = object(
  'What runs: the machine, its volumes and networks, and where it may run.',
  {
    domain,
    volumes: optional(
      listMap('Volumes behind the disks.', volume, {keys: ['name'], maxItems: 256, rules: volumeRules}),
    ),
    networks: optional(
      listMap('Networks behind the interfaces. Defaults to the network of the pod.', network, {
        keys: ['name'],
        maxItems: 32,
        rules: [
          {
            rule: 'self.filter(one, has(one.pod)).size() <= 1',
            message: 'at most one network may be the network of the pod: remove the others',
          },
        ],
      }),
    ),
    terminationGracePeriodSeconds: defaulted(
      integer('Seconds that the guest has to shut down after its power button was pressed, before it is killed.', {
        minimum: 0,
        maximum: 31_536_000,
      }),
      30,
    ),
    startStrategy: optional(
      string(
        'Paused: the guest is made, but does not run until it is resumed, as by the annotation wherry.dev/paused. Without it the guest runs at once.',
        {maxLength: 63, rules: [{rule: "self in ['', 'Paused']", message: 'must be Paused'}]},
      ),
    ),
    evictionStrategy: optional(
      enumeration(
        'What becomes of the guest when its node is drained. None: it is shut down, and its machine runs again elsewhere. External: its pod cannot be evicted, and status.evacuationNodeName asks somebody else to act. Defaults to None.',
        ['', 'None', 'External', 'LiveMigrate', 'LiveMigrateIfPossible'],
        {
          rules: [
            {
              rule: "!self.startsWith('LiveMigrate')",
              message:
                'evictionStrategy LiveMigrate and LiveMigrateIfPossible are not supported: use None or External, for guests cannot move while they run',
              reason: 'FieldValueForbidden',
            },
          ],
        },
      ),
    ),
    hostname: optional(
      dnsLabelOrEmpty('Host name of the guest. Defaults to the name of the object, up to its first dot.'),
    ),
    subdomain: optional(
      dnsLabelOrEmpty(
        'With a headless Service of this name that selects the guest, the name <hostname>.<subdomain> leads to it within the namespace.',
      ),
    ),
    dnsPolicy: optional(dnsPolicy),
    dnsConfig: optional(dnsConfig),
    readinessProbe: optional(readinessProbe),
    livenessProbe: optional(livenessProbe),
    nodeSelector: optional(labels('The guest runs only on nodes with these labels.')),
    affinity: optional(affinity),
    tolerations: optional(list('Taints of nodes that the guest bears.', toleration, {maxItems: 64})),
    topologySpreadConstraints: optional(
      listMap('How evenly guests like this one are spread over places.', topologySpreadConstraint, {
        keys: ['topologyKey', 'whenUnsatisfiable'],
        maxItems: 32,
      }),
    ),
    schedulerName: optional(name('The scheduler that chooses the node. Defaults to default-scheduler.')),
    priorityClassName: optional(
      name('The PriorityClass of the guest: which pods it may push from a full node. Defaults to that of the cluster.'),
    ),
    serviceAccountName: optional(
      name('The ServiceAccount that the pod of the guest belongs to. Its token is not given to the guest.'),
    ),
    architecture: optional(
      string('Architecture of the guest: amd64.', {
        maxLength: 63,
        rules: [
          {
            rule: "self in ['', 'amd64']",
            message: 'architecture is not supported but for amd64: use an amd64 image, for there are no other nodes',
            reason: 'FieldValueForbidden',
          },
        ],
      }),
    ),
  },
  {
    rules: [
      paired(disks, volumes, 'each disk needs a volume of the same name in volumes'),
      writableOnSata,
      oneAccount,
      paired(interfaces, networks, 'each interface needs a network of the same name in networks'),
      ...dnsRules,
      ...probeRules('readinessProbe'),
      ...probeRules('livenessProbe'),
      {
        rule: "!has(self.livenessProbe) || !has(self.startStrategy) || self.startStrategy == ''",
        message:
          'must not be Paused with a livenessProbe, which ends a guest that does not answer: remove one of the two',
        fieldPath: '.startStrategy',
      },
      paired(networks, interfaces, 'each network needs an interface of the same name in domain.devices.interfaces'),
    ],
  },
);

export const instanceSpec = withRefusals(supported, instanceRefusals);
export type InstanceSpec = Infer<typeof instanceSpec>;
export type InstanceSpecInput = InferInput<typeof instanceSpec>;
