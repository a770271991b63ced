import {EndReason, type InstancePhase, Reason} from '@wherry/api';
import {isSilent} from '../node/sighting.ts';
import {isDeleting} from '../objects.ts';
import type {Ending} from './ending.ts';
import type {World} from './world.ts';

/**
 * Nothing on the node of the run is heard of, neither its kubelet nor its daemon: whether the guest runs is not known. The
 * silence of one of them alone says nothing about the guest.
 */
export const isNodeLost = ({nodeFenced, nodeReady, daemon}: World): boolean =>
  !nodeFenced && !nodeReady && isSilent(daemon);

/** The daemon is gone for longer than its replacement takes, and the kubelet is there: the guest runs on. */
export const isDaemonMissing = ({nodeReady, daemon}: World): boolean => nodeReady && daemon === 'missing';

/** From the hand-over on, a guest may be on its node. */
export const wasHandedOver = (phase: InstancePhase | undefined): boolean =>
  phase === 'Scheduled' || phase === 'Running' || phase === 'Unknown';

/** The end of a run whose node was fenced. */
export const lostWithNode = ({vmi}: World): Ending => ({
  phase: 'Failed',
  reason: EndReason.NodeUnresponsive,
  message: `node ${vmi.status?.nodeName ?? ''} is lost: it was declared out of service, or its Node object was deleted`,
});

/** What is said of a run whose phase is Unknown, and what a person can do. */
export const unresponsive = (
  world: World,
): {readonly reason: typeof Reason.NodeUnresponsive; readonly message: string} => ({
  reason: Reason.NodeUnresponsive,
  message: isNodeLost(world) ? lostMessage(world) : returnedMessage(world),
});

const lostMessage = ({vmi}: World): string => {
  const node = vmi.status?.nodeName ?? '';
  const held = isDeleting(vmi) ? 'it is not removed, and its machine does not run' : 'its machine does not run';
  return (
    `neither the kubelet nor the node-daemon of node ${node} is heard of. The guest may still run there, so ${held} ` +
    `elsewhere. Bring the node back; or, once the machine is certainly off: kubectl taint nodes ${node} ` +
    `node.kubernetes.io/out-of-service=nodeshutdown:NoExecute, or kubectl delete node ${node}`
  );
};

const returnedMessage = ({vmi}: World): string =>
  `node ${vmi.status?.nodeName ?? ''} was not heard of and is back: waiting for its node-daemon to tell of the guest`;

/** What is said of a guest that runs on without its daemon. */
export const daemonSilent = ({
  vmi,
}: World): {readonly reason: typeof Reason.NodeDaemonSilent; readonly message: string} => ({
  reason: Reason.NodeDaemonSilent,
  message:
    `the node-daemon of node ${vmi.status?.nodeName ?? ''} is not heard of, though the node is ready: the guest runs on, ` +
    `but what is said of it may be old, and changes are not carried out. Look at the pods wherry-node-daemon of that node`,
});
