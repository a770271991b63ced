/** What the daemon says on its Node object. Pure. */
import {Annotation, Label, NATIVE_MATRIX_VERSION} from '@wherry/api';
import type {Node} from '@wherry/kube';
import {cpuLabels, isCpuLabel} from './cpuid.ts';
import type {KvmReport} from './kvm-report.ts';

export interface NodePatch {
  readonly metadata: {
    /** Null takes a label away. */
    readonly labels: Readonly<Record<string, string | null>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
}

/** The merge patch that makes the node say so; undefined when it does already. */
export const nodePatch = (node: Node, report: KvmReport): NodePatch | undefined => {
  const before = node.metadata.labels ?? {};
  const native = report.verdict === 'usable' ? {[Label.nativeMatrix]: NATIVE_MATRIX_VERSION} : {};
  const wanted: Readonly<Record<string, string>> = {
    [Label.schedulable]: 'true',
    [Label.kvm]: report.verdict,
    ...native,
    ...cpuLabels(report.cpuid),
  };
  const outdated = Object.keys(before).filter(label => isOurs(label) && !(label in wanted));
  const labels = {...wanted, ...Object.fromEntries(outdated.map(label => [label, null]))};
  const annotations = {[Annotation.kvmReason]: report.reason};
  return outdated.length === 0 && says(before, wanted) && says(node.metadata.annotations, annotations)
    ? undefined
    : {metadata: {labels, annotations}};
};

/** Labels that are there for as long as they are true, and then go. */
const isOurs = (label: string): boolean => isCpuLabel(label) || label === Label.nativeMatrix;

const says = (
  before: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>>,
): boolean => Object.entries(wanted).every(([key, value]) => before?.[key] === value);
