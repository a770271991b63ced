/** Where a guest may run: the pod's scheduling fields, as Kubernetes defines them (core/v1 PodSpec). */
import {enumeration, type Infer, integer, list, map, object, optional, string} from '../schema/index.ts';

const labelKey = (description: string) => string(description, {maxLength: 317});
const labelValue = (description: string) => string(description, {maxLength: 63});
const values = (description: string) => list(description, labelValue('One value.'), {maxItems: 64});

export const labels = (description: string) => map(description, labelValue('Value of the label.'), {maxProperties: 64});

const nodeRequirement = object('A condition on one label or field of a node.', {
  key: labelKey('Name of the label or field.'),
  operator: enumeration('How the value is compared with `values`.', [
    'In',
    'NotIn',
    'Exists',
    'DoesNotExist',
    'Gt',
    'Lt',
  ]),
  values: optional(values('Values to compare with: none for Exists and DoesNotExist, one integer for Gt and Lt.')),
});

const nodeTerm = object('Conditions on a node; all of them must hold.', {
  matchExpressions: optional(list('Conditions on labels.', nodeRequirement, {maxItems: 64})),
  matchFields: optional(
    list('Conditions on fields of the node, such as metadata.name.', nodeRequirement, {maxItems: 64}),
  ),
});

const labelRequirement = object('A condition on one label.', {
  key: labelKey('Name of the label.'),
  operator: enumeration('How the value is compared with `values`.', ['In', 'NotIn', 'Exists', 'DoesNotExist']),
  values: optional(values('Values to compare with; none for Exists and DoesNotExist.')),
});

const labelSelector = (description: string) =>
  object(description, {
    matchLabels: optional(labels('Labels that must have exactly these values.')),
    matchExpressions: optional(list('Conditions that must all hold.', labelRequirement, {maxItems: 64})),
  });

const keys = (description: string) => list(description, labelKey('Name of a label.'), {maxItems: 64});

const podTerm = object('A set of pods, and how close to them "together" is.', {
  labelSelector: optional(labelSelector('The pods meant. None where this is left out.')),
  namespaces: optional(
    list(
      'Namespaces of the pods meant; with no namespaceSelector either, the namespace of this object.',
      labelValue('A namespace.'),
      {
        maxItems: 64,
      },
    ),
  ),
  namespaceSelector: optional(
    labelSelector('Namespaces of the pods meant, by label; all namespaces where it is empty.'),
  ),
  matchLabelKeys: optional(keys('Labels whose values of this pod the pods meant must share.')),
  mismatchLabelKeys: optional(keys('Labels whose values of this pod the pods meant must not share.')),
  topologyKey: labelKey('The node label whose equal values mean "the same place", as kubernetes.io/hostname.'),
});

const weight = integer('How much the preference counts.', {minimum: 1, maximum: 100});

const podRules = (description: string, required: string, preferred: string) =>
  object(description, {
    requiredDuringSchedulingIgnoredDuringExecution: optional(list(required, podTerm, {maxItems: 32})),
    preferredDuringSchedulingIgnoredDuringExecution: optional(
      list(preferred, object('A preference with its weight.', {weight, podAffinityTerm: podTerm}), {maxItems: 32}),
    ),
  });

export const affinity = object('Rules for the choice of the node, by its labels and by the pods that run there.', {
  nodeAffinity: optional(
    object('Rules about the node itself.', {
      requiredDuringSchedulingIgnoredDuringExecution: optional(
        object('The guest runs only on nodes that fit one of these terms.', {
          nodeSelectorTerms: list('Terms of which one must hold.', nodeTerm, {maxItems: 32}),
        }),
      ),
      preferredDuringSchedulingIgnoredDuringExecution: optional(
        list(
          'Nodes that fit are preferred, by the sum of the weights.',
          object('A preference with its weight.', {weight, preference: nodeTerm}),
          {maxItems: 32},
        ),
      ),
    }),
  ),
  podAffinity: optional(
    podRules(
      'Rules to run close to other pods.',
      'The guest runs only where pods of all these terms run.',
      'Places where such pods run are preferred.',
    ),
  ),
  podAntiAffinity: optional(
    podRules(
      'Rules to keep away from other pods.',
      'The guest never runs where pods of one of these terms run.',
      'Places where no such pods run are preferred.',
    ),
  ),
});
export type Affinity = Infer<typeof affinity>;

export const toleration = object('A taint that the guest bears.', {
  key: optional(labelKey('Key of the taint; every key where it is left out, which needs the operator Exists.')),
  operator: optional(
    enumeration('Equal compares the value; Exists matches every value. Defaults to Equal.', ['Exists', 'Equal']),
  ),
  value: optional(labelValue('Value of the taint; none for Exists.')),
  effect: optional(
    enumeration('Effect of the taint; every effect where it is left out.', [
      'NoSchedule',
      'PreferNoSchedule',
      'NoExecute',
    ]),
  ),
  tolerationSeconds: optional(
    integer('How long a NoExecute taint is borne, in seconds; for ever where it is left out.', {
      minimum: -2_147_483_648,
      maximum: 2_147_483_647,
    }),
  ),
});
export type Toleration = Infer<typeof toleration>;

const honors = (description: string) => optional(enumeration(description, ['Honor', 'Ignore']));

export const topologySpreadConstraint = object(
  'How evenly guests like this one are spread over places.',
  {
    maxSkew: integer('By how many a place may have more of them than the emptiest place.', {
      minimum: 1,
      maximum: 2_147_483_647,
    }),
    topologyKey: labelKey('The node label whose equal values mean "the same place", as topology.kubernetes.io/zone.'),
    whenUnsatisfiable: enumeration(
      'What a place that would become too full means. DoNotSchedule: the guest does not run there. ScheduleAnyway: other places are preferred.',
      ['DoNotSchedule', 'ScheduleAnyway'],
    ),
    labelSelector: optional(labelSelector('The pods that are counted. None where this is left out.')),
    minDomains: optional(
      integer('As long as there are fewer places than this, the emptiest one counts as empty.', {
        minimum: 1,
        maximum: 2_147_483_647,
      }),
    ),
    nodeAffinityPolicy: honors('Whether nodes that affinity and nodeSelector exclude are left out. Defaults to Honor.'),
    nodeTaintsPolicy: honors('Whether nodes with taints that are not borne are left out. Defaults to Ignore.'),
    matchLabelKeys: optional(keys('Labels whose values of this pod the pods that are counted must share.')),
  },
  {
    rules: [
      {
        rule: "!has(self.minDomains) || self.whenUnsatisfiable == 'DoNotSchedule'",
        message: 'goes only with whenUnsatisfiable: DoNotSchedule',
        fieldPath: '.minDomains',
      },
      {
        rule: '!has(self.matchLabelKeys) || self.matchLabelKeys.size() == 0 || has(self.labelSelector)',
        message: 'needs a labelSelector',
        fieldPath: '.matchLabelKeys',
      },
    ],
  },
);
export type TopologySpreadConstraint = Infer<typeof topologySpreadConstraint>;
