/** What a guest is to run with: the accelerator and the engine, from the evidence on the nodes. Pure. */
import {
  type Accelerator,
  Annotation,
  type ConditionReason,
  type EngineName,
  Label,
  NATIVE_MATRIX_VERSION,
  outsideNativeMatrix,
  Reason,
} from '@wherry/api';
import type {Instance} from '../objects.ts';
import {chooseAccelerator} from './accelerator.ts';
import {cpuPlacement} from './cpu-placement.ts';
import {fits, type NodeView} from './node-fit.ts';

/** It is chosen once, when the pod is made, and holds for the life of the instance. */
export interface Runner {
  readonly accelerator: Accelerator;
  readonly engine: EngineName;
  /** Why this engine, for people. */
  readonly reason: string;
}

export interface NoRunner {
  readonly reason: ConditionReason;
  readonly message: string;
}

const isAsked = `asked for by the annotation ${Annotation.engine}`;
const engineChoices: readonly (string | undefined)[] = [undefined, 'auto', 'qemu', 'native'];

/** The native engine where it is asked for, or is left to choose and lies on a fitting node; else QEMU. */
export const chooseRunner = (
  vmi: Instance,
  nodes: readonly NodeView[],
  allowEmulation: boolean,
): {readonly runner: Runner} | {readonly problem: NoRunner} => {
  const asked = vmi.metadata.annotations?.[Annotation.engine];
  if (!engineChoices.includes(asked))
    return unsupported(`is "${asked}", which is no engine: use auto, native or qemu, or leave it out`);
  if (asked === 'native') return native(vmi, nodes);
  const choice = chooseAccelerator(nodes, vmi.spec, cpuPlacement(vmi.spec), allowEmulation);
  if (choice.accelerator === undefined) return {problem: choice};
  const {accelerator} = choice;
  const why = asked === 'qemu' ? isAsked : whyNotNative(vmi, nodes, accelerator);
  if (why !== undefined) return {runner: {accelerator, engine: 'qemu', reason: why}};
  return {runner: {accelerator, engine: 'native', reason: 'it can run this machine, and a fitting node has it'}};
};

const unsupported = (text: string): {readonly problem: NoRunner} => ({
  problem: {reason: Reason.UnsupportedEngine, message: `annotation ${Annotation.engine} ${text}`},
});

const native = (vmi: Instance, nodes: readonly NodeView[]): ReturnType<typeof chooseRunner> => {
  const outside = outsideNativeMatrix(vmi);
  if (outside.length > 0)
    return unsupported(
      `asks for the native engine, which has no ${outside.join('; no ')}: change that, or use auto or qemu`,
    );
  // Where none of them fits the pod is made all the same, and the scheduler says why.
  if (!nodes.some(hasNative))
    return unsupported(
      `asks for the native engine, and no node has it (label ${Label.nativeMatrix}=${NATIVE_MATRIX_VERSION}): it needs a usable KVM, and a node-daemon of the operator's version`,
    );
  return {runner: {accelerator: 'kvm', engine: 'native', reason: isAsked}};
};

/** Undefined where nothing speaks against the native engine. */
const whyNotNative = (vmi: Instance, nodes: readonly NodeView[], accelerator: Accelerator): string | undefined => {
  if (accelerator === 'tcg') return 'the native engine needs KVM';
  const [outside] = outsideNativeMatrix(vmi);
  if (outside !== undefined) return `the native engine has no ${outside}`;
  const selector = {...vmi.spec.nodeSelector, ...nativeSelector};
  if (nodes.some(node => hasNative(node) && fits(node, {...vmi.spec, nodeSelector: selector}))) return undefined;
  return `no fitting node has the native engine (label ${Label.nativeMatrix}=${NATIVE_MATRIX_VERSION})`;
};

/** What the pod of such a guest selects its node by. */
export const nativeSelector: Readonly<Record<string, string>> = {[Label.nativeMatrix]: NATIVE_MATRIX_VERSION};

const hasNative = ({labels}: NodeView): boolean =>
  labels[Label.schedulable] === 'true' && labels[Label.nativeMatrix] === NATIVE_MATRIX_VERSION;
