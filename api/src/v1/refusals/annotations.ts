import {Annotation} from '../../constants/index.ts';

/** Annotations by which KubeVirt turns features on: what no schema can refuse, a policy does. */
export interface AnnotationRefusal {
  /** Values that ask for nothing, beside the empty one. */
  readonly pass?: readonly string[];
  /** What to use instead, without a full stop. */
  readonly instead: string;
}

/** By name. They count on an instance, and on the template of a machine, from which instances get theirs. */
export const annotationRefusals: Readonly<Record<string, AnnotationRefusal>> = {
  'hooks.kubevirt.io/hookSidecars': {
    instead: 'write what the guest needs into its spec, from which alone its machine is made',
  },
  'kubevirt.io/ignitiondata': {instead: 'use an image with cloud-init and a cloudInitNoCloud volume'},
  'kubevirt.io/keep-launcher-alive-after-failure': {
    pass: ['false'],
    instead: 'read the conditions and events of the instance, which say why it failed',
  },
  'kubevirt.io/libvirt-log-filters': {instead: 'leave it out: there is no libvirt'},
  'kubevirt.io/placePCIDevicesOnRootComplex': {
    pass: ['false'],
    instead: 'leave it out: devices keep their addresses',
  },
};

/** What the annotation by which guests are paused and resumed is held to. */
export const pausedAnnotationMessages = {
  value: `the annotation ${Annotation.paused} must be true or false`,
  probed: `the annotation ${Annotation.paused} must not be true with a livenessProbe, which ends a guest that does not answer: remove one of the two`,
} as const;

/** Values of the annotation that ask for nothing. */
export const passingValues = ({pass = []}: AnnotationRefusal): readonly string[] => ['', ...pass];

export const annotationMessage = (name: string, {instead}: AnnotationRefusal): string =>
  `the annotation ${name} is not supported: ${instead}`;

/** Messages for the annotations that are refused, as the policy would give them. */
export const refusedAnnotationsIn = (annotations: Readonly<Record<string, string>> | undefined): string[] =>
  Object.entries(annotationRefusals)
    .filter(([name, refusal]) => {
      const value = annotations?.[name];
      return value !== undefined && !passingValues(refusal).includes(value);
    })
    .map(([name, refusal]) => annotationMessage(name, refusal));
