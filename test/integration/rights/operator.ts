/** What the operator and the hooks of the chart may do, as literal lists. */
import {type Asked, forbiddenToAll, selfReview} from '../../support/accounts.ts';
import {aMachine, anInstance, pathOf, set} from '../../support/crds.ts';

const controller = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachineInstance',
  name: 'guest',
  uid: 'uid',
  controller: true,
};

/** The least that the operator makes; what it really makes is held against the API server elsewhere. */
export const launcherPod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {name: 'launcher', namespace: 'default', ownerReferences: [controller]},
  spec: {
    automountServiceAccountToken: false,
    securityContext: {runAsNonRoot: true, runAsUser: 107},
    containers: [
      {
        name: 'compute',
        image: 'wherry/launcher:test',
        securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: ['ALL']}},
      },
    ],
    volumes: [{name: 'scratch', emptyDir: {}}],
  },
};

export const somebodysPod = set(set(launcherPod, 'metadata.ownerReferences', undefined), 'metadata.name', 'other');

const budgetPath = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';

export const launcherBudget = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: {name: 'launcher', namespace: 'default', ownerReferences: [controller]},
  spec: {minAvailable: 1, selector: {matchLabels: {app: 'guest'}}},
};

export const somebodysBudget = set(
  set(launcherBudget, 'metadata.ownerReferences', undefined),
  'metadata.name',
  'other',
);

const pods = '/api/v1/namespaces/default/pods';
const aPod = (path: string, value: unknown): Asked => ({
  ask: `POST ${pods}`,
  body: set(set(launcherPod, 'metadata.name', 'new'), path, value),
});
const aLease = (name: string): object => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: {name},
});
const leases = '/apis/coordination.k8s.io/v1/namespaces/wherry/leases';

const yes = /^yes$/;
const notOfAGuest = /^403 .*only what belongs to a VirtualMachineInstance/;
const privileged = /^403 .*makes no pod with a privilege/;

const notOfANode = /^403 .*only the label kubevirt\.io\/schedulable of a node/;

const vm = pathOf(aMachine('vm'));
const vmi = pathOf(anInstance('guest'));
const label = {metadata: {labels: {a: 'b'}}};

export const operatorTable: readonly (readonly [what: string, asked: Asked, expected: RegExp])[] = [
  ['lists machines', {ask: 'GET /apis/kubevirt.io/v1/virtualmachines'}, yes],
  ['watches instances', {ask: 'GET /apis/kubevirt.io/v1/virtualmachineinstances?watch=1&timeoutSeconds=1'}, yes],
  ['writes on a machine', {ask: `PATCH ${vm}`, body: label}, yes],
  ['reports on a machine', {ask: `PATCH ${vm}/status`, body: {status: {ready: true}}}, yes],
  [
    'makes an instance',
    {ask: 'POST /apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances', body: anInstance('new')},
    yes,
  ],
  ['ends an instance', {ask: `DELETE ${vmi}`}, yes],
  ['reports on an instance', {ask: `PATCH ${vmi}/status`, body: {status: {phase: 'Failed'}}}, yes],
  ['lists pods', {ask: 'GET /api/v1/pods'}, yes],
  ['lists nodes', {ask: 'GET /api/v1/nodes'}, yes],
  ['lists claims', {ask: 'GET /api/v1/persistentvolumeclaims'}, yes],
  ['lists events', {ask: 'GET /api/v1/events'}, yes],
  ['reads its configuration', {ask: 'GET /api/v1/namespaces/wherry/configmaps/wherry-config'}, yes],
  ['stands for election', {ask: `POST ${leases}`, body: aLease('wherry-operator')}, yes],
  ['hears of the node-daemons', {ask: `GET ${leases}`}, yes],
  [
    'keeps guests off a node',
    {ask: 'PATCH /api/v1/nodes/one', body: {metadata: {labels: {'kubevirt.io/schedulable': 'false'}}}},
    yes,
  ],
  ['labels a node', {ask: 'PATCH /api/v1/nodes/one', body: label}, notOfANode],
  [
    'taints a node',
    {ask: 'PATCH /api/v1/nodes/one', body: {spec: {taints: [{key: 'k', effect: 'NoExecute'}]}}},
    notOfANode,
  ],
  ['makes the pod of a guest', aPod('metadata.name', 'new'), yes],
  ['ends the pod of a guest', {ask: `DELETE ${pods}/launcher`}, yes],
  ['makes a pod of nobody', aPod('metadata.ownerReferences', undefined), notOfAGuest],
  ['makes a pod of a Job', aPod('metadata.ownerReferences.0.kind', 'Job'), notOfAGuest],
  ['makes a pod that is only said to be a guest’s', aPod('metadata.ownerReferences.0.controller', false), notOfAGuest],
  ['ends somebody’s pod', {ask: `DELETE ${pods}/other`}, notOfAGuest],
  ['makes a pod on the network of the host', aPod('spec.hostNetwork', true), privileged],
  ['makes a pod that sees the host’s processes', aPod('spec.hostPID', true), privileged],
  ['makes a pod that shares the host’s memory', aPod('spec.hostIPC', true), privileged],
  ['makes a pod past the scheduler', aPod('spec.nodeName', 'one'), privileged],
  ['makes a pod with a token', aPod('spec.automountServiceAccountToken', undefined), privileged],
  ['makes a pod that may be root', aPod('spec.securityContext.runAsNonRoot', undefined), privileged],
  ['makes a pod with a folder of the host', aPod('spec.volumes.0', {name: 'host', hostPath: {path: '/'}}), privileged],
  ['makes a pod with init containers', aPod('spec.initContainers', [{name: 'i', image: 'i'}]), privileged],
  ['makes a privileged pod', aPod('spec.containers.0.securityContext', {privileged: true}), privileged],
  [
    'makes a pod with a capability',
    aPod('spec.containers.0.securityContext.capabilities.add', ['NET_RAW']),
    privileged,
  ],
  [
    'makes a pod that keeps capabilities',
    aPod('spec.containers.0.securityContext.capabilities', undefined),
    privileged,
  ],
  [
    'makes a pod that may gain privileges',
    aPod('spec.containers.0.securityContext.allowPrivilegeEscalation', undefined),
    privileged,
  ],
  ['protects a guest', {ask: `POST ${budgetPath}`, body: set(launcherBudget, 'metadata.name', 'new')}, yes],
  ['protects it no more', {ask: `DELETE ${budgetPath}/launcher`}, yes],
  [
    'makes a budget of nobody',
    {ask: `POST ${budgetPath}`, body: set(somebodysBudget, 'metadata.name', 'new')},
    notOfAGuest,
  ],
  ['takes somebody’s budget away', {ask: `DELETE ${budgetPath}/other`}, notOfAGuest],
  [
    'takes somebody’s budget over',
    {ask: `PATCH ${budgetPath}/other`, body: {metadata: {ownerReferences: [controller]}}},
    notOfAGuest,
  ],
  ['asks who it is', {ask: 'POST /apis/authentication.k8s.io/v1/selfsubjectreviews', body: selfReview}, yes],
];

export const neverOfTheOperator: readonly Asked[] = [
  ...forbiddenToAll,
  {ask: 'POST /apis/kubevirt.io/v1/namespaces/default/virtualmachines', body: aMachine('new')},
  {ask: `DELETE ${vm}`},
  {ask: `PUT ${vm}`, body: aMachine('vm')},
  {ask: 'DELETE /apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances'},
  {ask: 'DELETE /api/v1/namespaces/default/pods'},
  {ask: `POST ${pods}/launcher/eviction`, body: {}},
  {ask: `POST ${pods}/launcher/binding`, body: {}},
  {ask: `PATCH ${pods}/launcher/status`, body: {}},
  {ask: `GET ${pods}/launcher/log`},
  {ask: 'PATCH /api/v1/namespaces/default/persistentvolumeclaims/c', body: label},
  {ask: 'GET /api/v1/namespaces'},
  {ask: 'GET /api/v1/serviceaccounts'},
  {ask: `PATCH ${leases}/somebodys`, body: label},
  {ask: 'POST /apis/coordination.k8s.io/v1/namespaces/kube-system/leases', body: aLease('wherry-operator')},
  {ask: 'POST /apis/events.k8s.io/v1/namespaces/default/events', body: {}},
];

/** The hook of an uninstallation: it takes finalizers away. */
export const uninstallTable: readonly (readonly [asked: Asked, may: boolean])[] = [
  [{ask: 'GET /apis/kubevirt.io/v1/virtualmachines'}, true],
  [{ask: `PATCH ${vm}`, body: {metadata: {finalizers: null}}}, true],
  [{ask: `PATCH ${vmi}`, body: {metadata: {finalizers: null}}}, true],
  [{ask: 'GET /api/v1/namespaces/wherry/pods'}, true],
  [{ask: 'GET /api/v1/pods'}, false],
  [{ask: `DELETE ${vm}`}, false],
  [{ask: `DELETE ${vmi}`}, false],
  [{ask: `PATCH ${vm}/status`, body: {status: {}}}, false],
  [{ask: 'POST /api/v1/namespaces/wherry/pods', body: launcherPod}, false],
  [{ask: 'POST /api/v1/namespaces/default/events', body: {}}, false],
  ...forbiddenToAll.map(asked => [asked, false] as const),
];

/** `helm test`: a machine in the namespace of the release. */
export const testTable: readonly (readonly [asked: Asked, may: boolean])[] = [
  [
    {
      ask: 'POST /apis/kubevirt.io/v1/namespaces/wherry/virtualmachines',
      body: set(aMachine('t'), 'metadata.namespace', 'wherry'),
    },
    true,
  ],
  [{ask: 'GET /api/v1/namespaces/wherry/pods'}, true],
  [{ask: 'GET /apis/kubevirt.io/v1/virtualmachines'}, false],
  [{ask: 'GET /apis/kubevirt.io/v1/namespaces/wherry/virtualmachines'}, false],
  [{ask: 'POST /apis/kubevirt.io/v1/namespaces/default/virtualmachines', body: aMachine('t')}, false],
  [{ask: `DELETE ${vm}`}, false],
  [{ask: `PATCH ${vm}`, body: label}, false],
  [{ask: 'GET /api/v1/pods'}, false],
  [{ask: 'POST /api/v1/namespaces/wherry/pods', body: launcherPod}, false],
  ...forbiddenToAll.map(asked => [asked, false] as const),
];
