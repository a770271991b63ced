import {FieldManager, Label} from '@wherry/api';
import {type Cache, type Client, core, type Key, type Node} from '@wherry/kube';
import type {Daemons} from './daemon-watch.ts';
import {schedulableLabel} from './label.ts';

export interface NodeReconcilerOptions {
  readonly client: Pick<Client, 'mergePatch'>;
  readonly nodes: Pick<Cache<Node>, 'get'>;
  readonly daemons: Daemons;
}

/** Keeps the label of a node in step with its daemon: one write when it falls silent, and one when it is back. */
export class NodeReconciler {
  readonly #options: NodeReconcilerOptions;

  constructor(options: NodeReconcilerOptions) {
    this.#options = options;
  }

  async reconcile(key: Key, signal: AbortSignal): Promise<void> {
    const {client, nodes, daemons} = this.#options;
    const node = nodes.get(key);
    if (node === undefined || schedulableLabel(node.metadata.labels, daemons.stateOf(key.name)) === undefined) return;
    const label = schedulableLabel(node.metadata.labels, await daemons.confirmed(key.name, signal));
    if (label === undefined) return;
    const patch = {metadata: {labels: {[Label.schedulable]: label}}};
    await client.mergePatch(core.nodes, key, patch, {fieldManager: FieldManager.operator, signal});
  }
}
