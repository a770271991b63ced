/** Enough of the scheduler's rules to tell whether a pod could ever land on a node. Room on the node is not looked at. */
export interface NodeView {
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly {readonly key: string; readonly value?: string; readonly effect: string}[];
  /** Cordoned. */
  readonly unschedulable: boolean;
  readonly ready: boolean;
  readonly name: string;
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface NodeTerm {
  readonly matchExpressions?: readonly Requirement[];
  readonly matchFields?: readonly Requirement[];
}

export interface Placement {
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Toleration[];
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: {readonly nodeSelectorTerms: readonly NodeTerm[]};
    };
  };
}

export const fits = (node: NodeView, placement: Placement): boolean =>
  node.ready &&
  !node.unschedulable &&
  matchesSelector(node, placement.nodeSelector ?? {}) &&
  toleratesAll(node, placement.tolerations ?? []) &&
  matchesAffinity(node, placement.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution);

const matchesSelector = (node: NodeView, selector: Readonly<Record<string, string>>): boolean =>
  Object.entries(selector).every(([key, value]) => node.labels[key] === value);

const toleratesAll = (node: NodeView, tolerations: readonly Toleration[]): boolean =>
  node.taints
    .filter(taint => taint.effect === 'NoSchedule' || taint.effect === 'NoExecute')
    .every(taint => tolerations.some(toleration => tolerates(toleration, taint)));

const tolerates = (toleration: Toleration, taint: NodeView['taints'][number]): boolean => {
  if (toleration.effect !== undefined && toleration.effect !== '' && toleration.effect !== taint.effect) return false;
  const exists = toleration.operator === 'Exists';
  // An empty key with Exists tolerates everything.
  if (toleration.key === undefined || toleration.key === '') return exists;
  return toleration.key === taint.key && (exists || (toleration.value ?? '') === (taint.value ?? ''));
};

/** Terms are alternatives; the requirements of a term must all hold. A term without any matches nothing. */
const matchesAffinity = (
  node: NodeView,
  required: {readonly nodeSelectorTerms: readonly NodeTerm[]} | undefined,
): boolean => required === undefined || required.nodeSelectorTerms.some(term => matchesTerm(node, term));

const matchesTerm = (node: NodeView, term: NodeTerm): boolean => {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length + fields.length === 0) return false;
  return (
    expressions.every(requirement => holds(requirement, node.labels[requirement.key])) &&
    fields.every(requirement => holds(requirement, requirement.key === 'metadata.name' ? node.name : undefined))
  );
};

const holds = ({operator, values = []}: Requirement, value: string | undefined): boolean => {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return Number(value) > Number(values[0]);
    case 'Lt':
      return Number(value) < Number(values[0]);
    default:
      return false;
  }
};
