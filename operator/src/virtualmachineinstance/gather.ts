import {type Config, isFinal, podNameOf} from '@wherry/api';
import {type Client, core, type Key, type Live, type Node, type PersistentVolumeClaim, type Pod} from '@wherry/kube';
import {Index, type Readers} from '../caches.ts';
import type {Daemons} from '../node/daemon-watch.ts';
import {type DaemonState, isSilent} from '../node/sighting.ts';
import {isDraining, isOutOfService, isReady, viewOf} from '../node/view.ts';
import {controllerUid, type Instance} from '../objects.ts';
import type {NodeView} from '../pod/node-fit.ts';
import type {Complaints, Heard} from './complaints.ts';
import {isExternal} from './eviction.ts';
import type {LastWords} from './last-words.ts';
import {stuckOf} from './stuck.ts';
import {claimNames, type World} from './world.ts';

export interface Sources {
  readonly caches: Readers;
  readonly client: Pick<Client, 'get'>;
  readonly lastWords: LastWords;
  readonly config: Pick<Live<Config>, 'current'>;
  readonly complaints: Pick<Complaints, 'about'>;
  readonly daemons: Daemons;
}

/** Everything that a decision about this instance needs; undefined when there is none. */
export const gather = async (sources: Sources, key: Key, signal: AbortSignal): Promise<World | undefined> => {
  const {caches, config, lastWords} = sources;
  const vmi = caches.instances.get(key);
  if (vmi === undefined) return undefined;
  const owned = caches.pods.byIndex(Index.controller, vmi.metadata.uid);
  const pod = owned.find(one => isPodOf(vmi, one)) ?? (await confirmed(sources, vmi, signal));
  const claims = claimsOf(caches, vmi);
  const {complaints, againMs} = await heardOf(sources, vmi, pod, claims, signal);
  return {
    vmi,
    pod,
    lastWords: pod === undefined ? lastWordsOf(vmi, lastWords) : undefined,
    strays: owned.filter(one => one.metadata.uid !== pod?.metadata.uid),
    claims,
    complaints,
    lookAgainMs: againMs,
    nodes: isWaiting(vmi) ? usableNodes(sources) : [],
    ...(await nodeOfRun(sources, vmi.status?.nodeName ?? pod?.spec?.nodeName, signal)),
    nodeDraining: isExternal(vmi, config.current) && isNodeDraining(caches, vmi.status?.nodeName),
    budget: caches.budgets.byIndex(Index.controller, vmi.metadata.uid).length > 0,
    config: config.current,
  };
};

const isNodeDraining = ({nodes}: Readers, name: string | undefined): boolean => {
  const node = name === undefined ? undefined : nodes.get({name});
  return node !== undefined && isDraining(node);
};

/** Only a run without a pod looks for a place: a large cluster's nodes are not gone through for the others. */
const isWaiting = ({status}: Instance): boolean => status?.phase === undefined || status.phase === 'Pending';

/** A node whose daemon is silent gets no more guests, also before its label says so. */
const usableNodes = ({caches, daemons}: Sources): readonly NodeView[] =>
  caches.nodes
    .list()
    .map(viewOf)
    .filter(({name}) => !isSilent(daemons.stateOf(name)));

/** Once a run is handed over, its pod is the one that was handed over, and no successor of the same name. */
const isPodOf = (vmi: Instance, pod: Pod): boolean => {
  const active = Object.keys(vmi.status?.activePods ?? {});
  return active.length === 0 ? pod.metadata.name === podName(vmi) : active.includes(pod.metadata.uid ?? '');
};

const podName = (vmi: Instance): string => podNameOf(vmi.metadata.name, vmi.metadata.uid);

/**
 * A pod that should be there and is not in the cache is asked for: the caches of instances and pods run apart, and on a
 * pod's absence a run may be declared over.
 */
const confirmed = async ({client}: Sources, vmi: Instance, signal: AbortSignal): Promise<Pod | undefined> => {
  const {phase} = vmi.status ?? {};
  if (phase === undefined || phase === 'Pending' || isFinal(phase)) return undefined;
  const key = {namespace: vmi.metadata.namespace, name: podName(vmi)};
  const pod = await client.get(core.pods, key, signal);
  return pod !== undefined && controllerUid(pod) === vmi.metadata.uid && isPodOf(vmi, pod) ? pod : undefined;
};

const lastWordsOf = (vmi: Instance, lastWords: LastWords): Pod | undefined =>
  Object.keys(vmi.status?.activePods ?? {})
    .map(uid => lastWords.of(uid))
    .find(pod => pod !== undefined);

const silence: Heard = {complaints: [], againMs: undefined};

/** Only a run that has not been handed over yet can be stuck. */
const heardOf = async (
  {complaints}: Sources,
  {status}: Instance,
  pod: Pod | undefined,
  claims: World['claims'],
  signal: AbortSignal,
): Promise<Heard> => {
  if (status?.nodeName !== undefined || pod === undefined) return silence;
  const stuck = stuckOf(pod, claims);
  return stuck === undefined ? silence : complaints.about(stuck, signal);
};

type NodeOfRun = Pick<World, 'nodeFenced' | 'nodeReady' | 'daemon'>;

const nowhere: NodeOfRun = {nodeFenced: false, nodeReady: true, daemon: 'absent'};

/** Of a node that is well nothing is asked. */
const nodeOfRun = async (
  {caches, client, daemons}: Sources,
  name: string | undefined,
  signal: AbortSignal,
): Promise<NodeOfRun> => {
  if (name === undefined) return nowhere;
  // A fence lets another engine start, so a node counts as gone only when the API server itself says so.
  const node = caches.nodes.get({name}) ?? (await client.get<Node>(core.nodes, {name}, signal));
  const nodeReady = node !== undefined && isReady(node);
  const daemon = nodeReady ? daemons.stateOf(name) : await daemons.confirmed(name, signal);
  return {nodeFenced: isFenced(node, nodeReady, daemon), nodeReady, daemon};
};

/**
 * An admin's word that the machine is off, for as long as nothing on it says otherwise: a kubelet that reports will end
 * the pod itself, and a daemon that renews its Lease will tell of its engine.
 */
const isFenced = (node: Node | undefined, nodeReady: boolean, daemon: DaemonState): boolean =>
  (node === undefined || isOutOfService(node)) && !nodeReady && (daemon === 'absent' || isSilent(daemon));

/** The claims that the instance names and that exist. */
export const claimsOf = (caches: Pick<Readers, 'claims'>, vmi: Instance): ReadonlyMap<string, PersistentVolumeClaim> =>
  new Map(
    claimNames(vmi).flatMap((name): [string, PersistentVolumeClaim][] => {
      const claim = caches.claims.get({namespace: vmi.metadata.namespace, name});
      return claim === undefined ? [] : [[name, claim]];
    }),
  );
