import type {Progress} from '../core/progress.ts';
import type {Deployment} from '../deploy.ts';

/** What a node's self-test said of its KVM. */
export interface KvmVerdict {
  readonly node: string;
  readonly verdict: string;
  readonly reason: string;
}

interface NodeList {
  readonly items: readonly {
    readonly metadata: {
      readonly name: string;
      readonly labels?: Record<string, string>;
      readonly annotations?: Record<string, string>;
    };
  }[];
}

/** The verdicts of the nodes that have a node-daemon, by node name. */
export const verdictsOf = (nodes: NodeList): readonly KvmVerdict[] =>
  nodes.items.flatMap(({metadata: {name, labels = {}, annotations = {}}}) => {
    const verdict = labels['wherry.dev/kvm'];
    return verdict === undefined ? [] : [{node: name, verdict, reason: annotations['wherry.dev/kvm-reason'] ?? ''}];
  });

export const kvmVerdicts = async (deployment: Deployment): Promise<readonly KvmVerdict[]> =>
  verdictsOf(JSON.parse(await deployment.kubectl('get', 'nodes', '-o', 'json')) as NodeList);

/** Says aloud how guests will run. */
export const sayVerdicts = (progress: Progress, verdicts: readonly KvmVerdict[]): void => {
  for (const {node, verdict, reason} of verdicts) {
    progress.note(`KVM on ${node}: ${verdict}${reason === '' ? '' : ` (${reason})`}`);
  }
  const usable = verdicts.some(({verdict}) => verdict === 'usable');
  progress.note(
    usable ? 'guests run with KVM' : 'no node has a usable KVM: guests run by software emulation, many times slower',
  );
};
