import {reservedLabels} from '@wherry/api';
import {stringify} from 'yaml';
import {MARKER} from './generator.ts';

const apiVersion = 'admissionregistration.k8s.io/v1';

const rules = (resource: string, ...operations: readonly string[]): object => ({
  resourceRules: [{apiGroups: ['kubevirt.io'], apiVersions: ['v1'], resources: [resource], operations}],
});

const labelsOf = (object: string): string => `dyn(${object}).metadata.?labels.orValue({})`;

/** Labels that say what the system found are written by the operator alone. */
const labels = (namespace: string): readonly object[] => {
  const name = 'wherry-labels';
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata: {name},
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: rules('virtualmachineinstances', 'CREATE', 'UPDATE'),
        matchConditions: [
          {
            name: 'by-somebody-else',
            expression: `request.userInfo.username != 'system:serviceaccount:${namespace}:wherry-operator'`,
          },
        ],
        variables: [
          {name: 'now', expression: labelsOf('object')},
          {name: 'before', expression: `oldObject == null ? {} : ${labelsOf('oldObject')}`},
        ],
        validations: reservedLabels.map(label => ({
          expression: `variables.now[?'${label}'].orValue('') == variables.before[?'${label}'].orValue('')`,
          message: `the label ${label} is set by the system alone: leave it as it is`,
          reason: 'Forbidden',
        })),
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: {name},
      spec: {policyName: name, validationActions: ['Deny']},
    },
  ];
};

/** What is deprecated is taken, with the warning that KubeVirt gives. */
const deprecations = (): readonly object[] => {
  const name = 'wherry-deprecations';
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata: {name},
      spec: {
        failurePolicy: 'Ignore',
        matchConstraints: rules('virtualmachines', 'CREATE', 'UPDATE'),
        validations: [
          {
            expression: '!has(object.spec.running)',
            message: 'spec.running is deprecated, please use spec.runStrategy instead.',
          },
        ],
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: {name},
      spec: {policyName: name, validationActions: ['Warn']},
    },
  ];
};

const document = (object: object): string =>
  stringify(object, {lineWidth: 0}).replace(
    /^ {2}name: .*\n/m,
    name => `${name}  labels:\n    {{- include "wherry.labels" . | nindent 4 }}\n`,
  );

const documents = (objects: readonly object[]): string => objects.map(document).join('---\n');

/** The chart's template. */
export const machinePolicyTemplate = (): string =>
  `{{- /* ${MARKER} */ -}}\n${documents([...labels('{{ .Release.Namespace }}'), ...deprecations()])}`;
