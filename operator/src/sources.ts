import {type Config, isFinal} from '@wherry/api';
import {keyOf, type Live, mapped, type Node, owned, type Source, watching} from '@wherry/kube';
import {type Caches, Index} from './caches.ts';
import type {DaemonWatch} from './node/daemon-watch.ts';
import type {Instance} from './objects.ts';
import {sameJson} from './status-patch.ts';

/** What makes the operator look at a machine: itself, the instance of its name, and that one's claims. */
export const machineSources = ({machines, instances, claims}: Caches): Source[] => [
  watching(machines),
  // Also an instance that belongs to nobody: it stands in the way until it goes.
  watching(instances),
  mapped(claims, claim => usersOf(instances, claim)),
];

/**
 * What makes the operator look at an instance: itself, its pods, its claims, nodes that it waits for or lost, their
 * daemons, and the configuration.
 */
export const instanceSources = (
  {instances, pods, claims, nodes, budgets}: Caches,
  config: Live<Config>,
  daemons: Pick<DaemonWatch, 'onChange'>,
): Source[] => [
  watching(instances),
  owned(pods, 'VirtualMachineInstance'),
  // One that somebody deleted is made again.
  owned(budgets, 'VirtualMachineInstance'),
  mapped(claims, claim => usersOf(instances, claim)),
  mapped(
    nodes,
    node => [...waiting(instances), ...handedTo(instances, node.metadata.name ?? '')].map(keyOf),
    change => change.type !== 'updated' || !sameFacts(change.previous, change.object),
  ),
  {
    synced: true,
    start: enqueue =>
      daemons.onChange(node =>
        [...waiting(instances), ...handedTo(instances, node)].map(keyOf).forEach(key => enqueue(key)),
      ),
  },
  // What waits for emulation to be allowed starts then, and what is protected from eviction may change.
  {synced: true, start: enqueue => config.onChange(() => instances.list().map(keyOf).forEach(enqueue))},
];

const usersOf = (instances: Caches['instances'], claim: {metadata: {namespace?: string; name?: string}}) =>
  instances.byIndex(Index.claim, `${claim.metadata.namespace}/${claim.metadata.name}`).map(keyOf);

/** Instances without a pod may have been waiting for just this node. */
const waiting = (instances: Caches['instances']): readonly Instance[] =>
  instances.byIndex(Index.node, '').filter(({status}) => status?.phase === undefined || status.phase === 'Pending');

/** What makes the operator look at a node: its labels, and its daemon. */
export const nodeSources = ({nodes}: Caches, daemons: Pick<DaemonWatch, 'onChange'>): Source[] => [
  watching(
    nodes,
    change => change.type !== 'updated' || !sameJson(change.previous.metadata.labels, change.object.metadata.labels),
  ),
  {synced: true, start: enqueue => daemons.onChange(name => enqueue({name}))},
];

/** A node that is gone, out of service or not heard of decides what becomes of the runs that it had. */
const handedTo = (instances: Caches['instances'], node: string): readonly Instance[] =>
  instances.byIndex(Index.node, node).filter(({status}) => !isFinal(status?.phase));

/** Nodes are kept trimmed, so what is left of them is what decisions look at. */
const sameFacts = (before: Node, after: Node): boolean => sameJson(withoutVersion(before), withoutVersion(after));

const withoutVersion = ({metadata: {resourceVersion: _version, ...metadata}, ...node}: Node): object => ({
  ...node,
  metadata,
});
