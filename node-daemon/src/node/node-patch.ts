/** What the daemon says on its Node object. Pure. */
import {Annotation, Label} from '@wherry/api';
import type {Node} from '@wherry/kube';
import type {KvmReport} from './kvm-report.ts';

export interface NodePatch {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
}

/** The merge patch that makes the node say so; undefined when it does already. */
export const nodePatch = (node: Node, report: KvmReport): NodePatch | undefined => {
  const labels = {[Label.schedulable]: 'true', [Label.kvm]: report.verdict};
  const annotations = {[Annotation.kvmReason]: report.reason};
  return says(node.metadata.labels, labels) && says(node.metadata.annotations, annotations)
    ? undefined
    : {metadata: {labels, annotations}};
};

const says = (
  before: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>>,
): boolean => Object.entries(wanted).every(([key, value]) => before?.[key] === value);
