import type {Node, OwnerReference} from '@wherry/kube';
import {DaemonError} from '../errors.ts';

export const missingNode = (name: string): DaemonError =>
  new DaemonError('CONFIGURATION', `there is no Node ${name}: NODE_NAME must be the name of the node`);

/** What the daemon's Lease goes with. @throws DaemonError CONFIGURATION when there is no such Node */
export const nodeOwner = (name: string, node: Node | undefined): OwnerReference => {
  if (node?.metadata.uid === undefined) throw missingNode(name);
  return {apiVersion: 'v1', kind: 'Node', name, uid: node.metadata.uid};
};
