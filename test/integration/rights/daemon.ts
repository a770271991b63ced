/** What a node-daemon may do, as literal lists. */
import {Phase} from '@wherry/api';
import {type Asked, forbiddenToAll, selfReview} from '../../support/accounts.ts';
import {anInstance, pathOf} from '../../support/crds.ts';

/** A guest for each phase that a status may have; each is on node `one`, the guest `early` on none. */
export const phases = Object.values(Phase);
export const guest = (phase: string): string => `is-${phase.toLowerCase()}`;

/** What the operator has said of a run before the daemon says a word. */
export const before = [{type: 'SoftwareEmulation', status: 'True', reason: 'NoHardwareVirtualization'}];

interface EventParts {
  name?: string;
  host?: string;
  component?: string;
  kind?: string;
  apiVersion?: string;
}

export const anEvent = ({
  name = 'new',
  host = 'one',
  component = 'wherry-node-daemon',
  kind = 'VirtualMachineInstance',
  apiVersion = 'kubevirt.io/v1',
}: EventParts = {}): object => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: {name, namespace: 'default'},
  involvedObject: {apiVersion, kind, name: guest('Running'), namespace: 'default'},
  type: 'Normal',
  reason: 'Started',
  message: 'said by a test',
  source: {component, host},
  reportingComponent: component,
  reportingInstance: host,
});

const instances = '/apis/kubevirt.io/v1/virtualmachineinstances';
export const statusOf = (name: string, status: object): Asked => ({
  ask: `PATCH ${pathOf(anInstance(name))}/status`,
  body: {status},
});
const node = (body: object, name = 'one'): Asked => ({ask: `PATCH /api/v1/nodes/${name}`, body});
const event = (parts: EventParts): Asked => ({ask: 'POST /api/v1/namespaces/default/events', body: anEvent(parts)});

export const yes = /^yes$/;
export const notItsGuest = /^403 .*only on guests of its own node/;
const notItsNode = /^403 .*labels only its own node/;
const notItsLabel = /^403 .*writes only the wherry\.dev\//;
const notItsLease = /^403 .*only the Lease of its own node/;
const notItself = /^403 .*events as itself/;

/** Of the guest's or node's own daemon, of that of another node, and of a token for no pod. */
const leases = '/apis/coordination.k8s.io/v1/namespaces/wherry/leases';

/** To change a Lease. That of node one is there, that of node two is not. */
const renew = (name: string, metadata: object = {}): Asked => ({
  ask: `PATCH ${leases}/${name}`,
  body: {metadata, spec: {holderIdentity: 'test'}},
});
const first = (name: string): Asked => ({ask: `POST ${leases}`, body: aLease(name)});

export const aLease = (name: string, metadata: object = {}): object => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: {name, namespace: 'wherry', ...metadata},
  spec: {holderIdentity: 'test'},
});

type Row = readonly [what: string, asked: Asked, own: RegExp, others: RegExp, unbound: RegExp];

export const table: readonly Row[] = [
  ['lists instances', {ask: `GET ${instances}`}, yes, yes, yes],
  ['watches instances', {ask: `GET ${instances}?watch=1&timeoutSeconds=1`}, yes, yes, yes],
  ['reads a Node', {ask: 'GET /api/v1/nodes/one'}, yes, yes, yes],
  ['says that a guest runs', statusOf(guest('Scheduled'), {phase: 'Running'}), yes, notItsGuest, notItsGuest],
  ['reports on a running guest', statusOf(guest('Running'), {machine: {type: 'q35'}}), yes, notItsGuest, notItsGuest],
  ['reports on a guest of no node', statusOf('early', {phase: 'Running'}), notItsGuest, notItsGuest, notItsGuest],
  ['takes a guest', statusOf('early', {nodeName: 'one'}), notItsGuest, notItsGuest, notItsGuest],
  ['moves a guest', statusOf(guest('Running'), {nodeName: 'two'}), /^403 .*to another node/, notItsGuest, notItsGuest],
  ['labels the node', node({metadata: {labels: {'wherry.dev/kvm': 'usable'}}}), yes, notItsNode, notItsNode],
  ['offers the node', node({metadata: {labels: {'kubevirt.io/schedulable': 'true'}}}), yes, notItsNode, notItsNode],
  [
    'labels the node with its CPU',
    node({metadata: {labels: {'cpu-model.node.kubevirt.io/EPYC': 'true'}}}),
    yes,
    notItsNode,
    notItsNode,
  ],
  ['annotates the node', node({metadata: {annotations: {'wherry.dev/kvm-reason': 'ok'}}}), yes, notItsNode, notItsNode],
  [
    'gives the node a role',
    node({metadata: {labels: {'node-role.kubernetes.io/control-plane': ''}}}),
    notItsLabel,
    notItsNode,
    notItsNode,
  ],
  [
    'renames the zone of the node',
    node({metadata: {labels: {'topology.kubernetes.io/zone': 'z'}}}),
    notItsLabel,
    notItsNode,
    notItsNode,
  ],
  [
    'annotates the node for others',
    node({metadata: {annotations: {'cluster-autoscaler.kubernetes.io/scale-down-disabled': 'true'}}}),
    notItsLabel,
    notItsNode,
    notItsNode,
  ],
  ['keeps the node for ever', node({metadata: {finalizers: ['example.com/x']}}), notItsLabel, notItsNode, notItsNode],
  [
    'has the node collected as garbage',
    node({metadata: {ownerReferences: [{apiVersion: 'v1', kind: 'Node', name: 'gone', uid: 'none'}]}}),
    notItsLabel,
    notItsNode,
    notItsNode,
  ],
  [
    'taints the node',
    node({spec: {taints: [{key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute'}]}}),
    notItsLabel,
    notItsNode,
    notItsNode,
  ],
  ['cordons the node', node({spec: {unschedulable: true}}), notItsLabel, notItsNode, notItsNode],
  ['tells an event', event({}), yes, notItself, notItself],
  ['tells an event of another node', event({host: 'two'}), notItself, yes, notItself],
  ['tells an event as the kubelet', event({component: 'kubelet'}), notItself, notItself, notItself],
  [
    'tells an event about a pod',
    event({kind: 'Pod', apiVersion: 'v1'}),
    /^403 .*about VirtualMachineInstances/,
    notItself,
    notItself,
  ],
  [
    'counts its event up',
    {ask: 'PATCH /api/v1/namespaces/default/events/of-one', body: {count: 2}},
    yes,
    notItself,
    notItself,
  ],
  [
    'turns its event into one about another',
    {
      ask: 'PATCH /api/v1/namespaces/default/events/of-one',
      body: {involvedObject: {name: guest('Failed')}},
    },
    /^(403|422) /,
    /^(403|422) /,
    /^(403|422) /,
  ],
  [
    'writes over an event of the kubelet',
    {
      ask: 'PATCH /api/v1/namespaces/default/events/of-the-kubelet',
      body: {source: {component: 'wherry-node-daemon', host: 'one'}},
    },
    notItself,
    notItself,
    notItself,
  ],
  [
    'takes a label of its CPU away',
    node({metadata: {labels: {'cpu-model.node.kubevirt.io/Old': null}}}),
    yes,
    notItsNode,
    notItsNode,
  ],
  ['takes the zone away', node({metadata: {labels: {zone: null}}}), notItsLabel, notItsNode, notItsNode],
  ['says that it still lives', renew('node-daemon-one'), yes, notItsLease, notItsLease],
  ['says that another lives', first('node-daemon-two'), notItsLease, yes, notItsLease],
  ['leads the operators', first('wherry-operator'), notItsLease, notItsLease, notItsLease],
  [
    'keeps its Lease for ever',
    renew('node-daemon-one', {finalizers: ['example.com/x']}),
    /^403 .*goes with its Node/,
    notItsLease,
    notItsLease,
  ],
  ['asks who it is', {ask: 'POST /apis/authentication.k8s.io/v1/selfsubjectreviews', body: selfReview}, yes, yes, yes],
];

/** What no daemon does, whoever's objects they are. */
export const never: readonly Asked[] = [
  ...forbiddenToAll,
  {ask: 'GET /api/v1/nodes'},
  {ask: `GET ${leases}/node-daemon-one`},
  {ask: `DELETE ${leases}/node-daemon-one`},
  {ask: 'PATCH /apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/one', body: {}},
  {ask: 'POST /api/v1/nodes', body: {apiVersion: 'v1', kind: 'Node', metadata: {name: 'three'}}},
  {ask: 'GET /api/v1/pods'},
  {ask: 'POST /api/v1/namespaces/default/pods', body: {apiVersion: 'v1', kind: 'Pod'}},
  {ask: 'DELETE /api/v1/namespaces/default/pods/p'},
  {ask: 'POST /api/v1/namespaces/default/pods/p/eviction', body: {}},
  {ask: 'GET /api/v1/persistentvolumeclaims'},
  {ask: 'GET /api/v1/events'},
  {ask: 'GET /api/v1/namespaces/wherry/configmaps/wherry-config'},
  {ask: 'GET /apis/kubevirt.io/v1/virtualmachines'},
  {ask: `POST /apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances`, body: anInstance('mine')},
  {ask: `PATCH ${pathOf(anInstance(guest('Running')))}`, body: {metadata: {labels: {a: 'b'}}}},
  {ask: `PUT ${pathOf(anInstance(guest('Running')))}/status`, body: anInstance(guest('Running'))},
  {ask: `DELETE ${pathOf(anInstance(guest('Running')))}`},
  {ask: 'POST /apis/events.k8s.io/v1/namespaces/default/events', body: {}},
];

/** From → to, for the daemon of the guest's own node; all else is the operator's. */
export const transitions: Readonly<Record<string, readonly string[]>> = {
  Pending: [],
  Scheduling: [],
  Scheduled: ['Scheduled', 'Running'],
  Running: ['Running'],
  Unknown: ['Unknown', 'Running'],
  WaitingForSync: [],
  Succeeded: [],
  Failed: [],
};

/** Every field of the status: what a daemon might write there, and whether it may. */
export const fields: Readonly<Record<string, readonly [value: unknown, may: boolean]>> = {
  phase: ['Running', true],
  phaseTransitionTimestamps: [[{phase: 'Running', phaseTransitionTimestamp: '2026-01-01T00:00:00Z'}], true],
  interfaces: [[{name: 'default', ipAddress: '10.0.0.1'}], true],
  guestOSInfo: [{name: 'Debian'}, true],
  volumeStatus: [[{name: 'data', target: 'vda'}], true],
  engine: [{name: 'qemu', version: '10', reason: 'r'}, true],
  machine: [{type: 'pc-q35-10.0'}, true],
  memory: [{guestCurrent: '128Mi'}, true],
  currentCPUTopology: [{cores: 1, sockets: 1, threads: 1}, true],
  conditions: [[...before, {type: 'Paused', status: 'True'}], true],
  reason: ['Evicted', false],
  nodeName: ['two', false],
  evacuationNodeName: ['one', false],
  activePods: [{another: 'one'}, false],
  qosClass: ['Guaranteed', false],
  launcherContainerImageVersion: ['mine:1', false],
  runtimeUser: [0, false],
  virtualMachineRevisionName: ['r', false],
};

/** Conditions: whether a daemon may write one of this type. */
export const conditions: readonly (readonly [type: string, may: boolean])[] = [
  ['Ready', true],
  ['Synchronized', true],
  ['AgentConnected', true],
  ['Paused', true],
  ['wherry.dev/EngineActive', true],
  ['PodScheduled', false],
  ['LiveMigratable', false],
  ['example.com/Anything', false],
];
