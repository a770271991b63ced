import {
  Annotation,
  annotationMessage,
  type AnnotationRefusal,
  annotationRefusals,
  passingValues,
  pausedAnnotationMessages,
} from '@wherry/api';
import {stringify} from 'yaml';
import {type Generator, MARKER} from './generator.ts';
import {machinePolicyTemplate} from './machine-policies.ts';

const NAME = 'wherry-annotations';

const word = (text: string): string => `'${text}'`;

/** Annotations that reach an instance: its own, or those of the template that it is made from. */
const annotationsOf = (object: string): string =>
  `dyn(${object}).kind == 'VirtualMachine' ` +
  `? dyn(${object}).?spec.?template.?metadata.?annotations.orValue({}) ` +
  `: dyn(${object}).?metadata.?annotations.orValue({})`;

/** Whether the instance is asked if it lives. */
const probed =
  `dyn(object).kind == 'VirtualMachine' ` +
  `? dyn(object).?spec.?template.?spec.?livenessProbe.hasValue() ` +
  `: dyn(object).?spec.?livenessProbe.hasValue()`;

/** What an object already has may stay, so that it can be changed and deleted still. */
const validation = ([name, refusal]: readonly [string, AnnotationRefusal]): object => {
  const value = (annotations: string): string => `variables.${annotations}[?${word(name)}].orValue('')`;
  const passing = passingValues(refusal).map(word).join(', ');
  return {
    expression: `${value('now')} in [${passing}] || ${value('now')} == ${value('before')}`,
    message: annotationMessage(name, refusal),
    reason: 'Forbidden',
  };
};

const paused = `variables.now[?${word(Annotation.paused)}].orValue('')`;

/** KubeVirt, too, refuses to pause a guest that is asked whether it lives. */
const pausedValidations: readonly object[] = [
  {expression: `${paused} in ['', 'true', 'false']`, message: pausedAnnotationMessages.value, reason: 'Invalid'},
  {expression: `${paused} != 'true' || !variables.probed`, message: pausedAnnotationMessages.probed, reason: 'Invalid'},
];

/** The policy that refuses annotations by name, and its binding. */
export const annotationPolicy: readonly object[] = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: {name: NAME},
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ['kubevirt.io'],
            apiVersions: ['v1'],
            resources: ['virtualmachines', 'virtualmachineinstances'],
            operations: ['CREATE', 'UPDATE'],
          },
        ],
      },
      variables: [
        {name: 'now', expression: annotationsOf('object')},
        {name: 'before', expression: `oldObject == null ? {} : (${annotationsOf('oldObject')})`},
        {name: 'probed', expression: probed},
      ],
      validations: [...Object.entries(annotationRefusals).map(validation), ...pausedValidations],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: {name: NAME},
    spec: {policyName: NAME, validationActions: ['Deny']},
  },
];

const labels = `  labels:\n    {{- include "wherry.labels" . | nindent 4 }}\n`;

const document = (object: object): string =>
  stringify(object, {lineWidth: 0}).replace(`  name: ${NAME}\n`, found => `${found}${labels}`);

const produce = async (): Promise<ReadonlyMap<string, string>> =>
  new Map([
    [
      'helm/templates/annotations-policy.yaml',
      `{{- /* ${MARKER} */ -}}\n${annotationPolicy.map(document).join('---\n')}`,
    ],
    ['helm/templates/machine-policies.yaml', machinePolicyTemplate()],
  ]);

/** The chart's policies. */
export const policies: Generator = {name: 'policies', folders: ['helm/templates'], produce};
