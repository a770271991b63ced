/** The rights that the chart gives to its accounts, read from what it renders. */
import type {Rendered} from './chart.ts';

export interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

interface Role extends Rendered {
  readonly rules: readonly Rule[];
}

interface Binding extends Rendered {
  readonly roleRef: {readonly kind: string; readonly name: string};
  readonly subjects: readonly {readonly kind: string; readonly name: string}[];
}

/** One rule of a role, and whose it is. */
export interface Right {
  /** The service account, or the role's own name where the chart binds it to nobody. */
  readonly who: string;
  readonly scope: 'cluster' | 'namespace';
  readonly rule: Rule;
}

/** All rules of all roles, those that are bound to a service account by its name. */
export const rightsOf = (objects: readonly Rendered[]): readonly Right[] => {
  const bindings = objects.filter(({kind}) => kind.endsWith('RoleBinding')) as Binding[];
  const roles = objects.filter(({kind}) => kind === 'Role' || kind === 'ClusterRole') as Role[];
  const rights = roles.flatMap(({kind, metadata, rules}) => {
    const binding = bindings.find(({roleRef}) => roleRef.kind === kind && roleRef.name === metadata.name);
    const who = binding?.subjects[0]?.name ?? metadata.name;
    return rules.map(rule => ({who, scope: kind === 'Role' ? ('namespace' as const) : ('cluster' as const), rule}));
  });
  return rights.toSorted((a, b) => (a.who === b.who ? 0 : a.who < b.who ? -1 : 1));
};

const anything = (list: readonly string[] | undefined): boolean => list?.includes('*') ?? false;

/** Resources by which everything else could be had: none of them may stand in a rule, whatever the verb. */
const keys: readonly string[] = [
  'secrets',
  'serviceaccounts',
  'serviceaccounts/token',
  'pods/exec',
  'pods/attach',
  'pods/portforward',
  'pods/ephemeralcontainers',
  'pods/proxy',
  'services/proxy',
  'nodes/proxy',
  'nodes/status',
  'roles',
  'rolebindings',
  'clusterroles',
  'clusterrolebindings',
  'certificatesigningrequests',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'customresourcedefinitions',
  'users',
  'groups',
];

/** What is wrong with a rule, as words; undefined where nothing is. */
export const tooMuch = (rule: Rule): string | undefined => {
  if (anything(rule.apiGroups)) return 'all API groups';
  if (anything(rule.resources)) return 'all resources';
  if (anything(rule.verbs)) return 'all verbs';
  if (rule.nonResourceURLs !== undefined) return 'paths beside the resources';
  const verb = rule.verbs.find(one => ['impersonate', 'escalate', 'bind', 'approve', 'sign'].includes(one));
  return verb ?? rule.resources?.find(resource => keys.includes(resource));
};

/** The table of docs/guide/security.md: a row for each rule. */
export const rightsTable = (rights: readonly Right[]): string =>
  [
    '| account | where | may | on |',
    '| --- | --- | --- | --- |',
    ...rights.map(({who, scope, rule}) => {
      const where = scope === 'cluster' ? 'all namespaces' : 'its own namespace';
      const named = rule.resourceNames === undefined ? '' : `, named ${rule.resourceNames.join(', ')}`;
      return `| ${who} | ${where} | ${rule.verbs.join(', ')} | ${rule.resources?.join(', ')}${named} |`;
    }),
  ].join('\n');
