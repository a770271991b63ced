import {type ConditionReason, Reason} from '@wherry/api';
import type {Complaint} from './complaints.ts';
import type {Problem} from './start-checks.ts';
import type {World} from './world.ts';

type Look = (complaints: readonly Complaint[], world: World) => Problem | undefined;

/** Each text once, in order. */
const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

const missingObject =
  (kind: 'Secret' | 'ConfigMap', reason: ConditionReason): Look =>
  (complaints, {vmi}) => {
    const words = new RegExp(`${kind} "([^"]+)" not found`, 'i');
    const names = distinct(complaints.flatMap(({message}) => words.exec(message)?.[1] ?? [])).toSorted();
    if (names.length === 0) return undefined;
    const what = names.length === 1 ? `${kind} ${names[0]} does` : `${kind}s ${names.join(', ')} do`;
    return {
      reason,
      message: `${what} not exist in namespace ${vmi.metadata.namespace}: create ${names.length === 1 ? 'it' : 'them'}`,
    };
  };

/** What the kubelet says when its time is up, beside the cause: it names no cause. */
const timedOut = 'Unable to attach or mount volumes';

const said =
  (events: readonly string[], reason: ConditionReason, remedy = ''): Look =>
  (complaints, {vmi}) => {
    const texts = complaints.filter(one => events.includes(one.reason)).map(({message}) => inUsersWords(message, vmi));
    const causes = texts.filter(text => !text.startsWith(timedOut));
    const shown = distinct(causes.length === 0 ? texts : causes).slice(0, 3);
    if (shown.length === 0) return undefined;
    return {reason, message: `${shown.join('; ')}${remedy === '' ? '' : `: ${remedy}`}`};
  };

/** The pod's volumes are named by position, and the user has never seen that. */
const inUsersWords = (message: string, vmi: World['vmi']): string =>
  message.replaceAll(/"volume-(\d+)[a-z-]*"/g, (whole, at: string) => {
    const name = vmi.spec.volumes?.[Number(at)]?.name;
    return name === undefined ? whole : `"${name}"`;
  });

const unboundClaim: Look = complaints => {
  const [complaint] = complaints.filter(({about}) => about.kind === 'PersistentVolumeClaim');
  if (complaint === undefined) return undefined;
  const {about, message} = complaint;
  const remedy =
    claimRemedies.find(([words]) => words.test(message))?.[1] ?? `kubectl describe pvc ${about.name} tells more`;
  return {
    reason: Reason.VolumeNotBound,
    message: `PersistentVolumeClaim ${about.name} is not bound: ${message.trim()}: ${remedy}`,
  };
};

const claimRemedies: readonly (readonly [RegExp, string])[] = [
  [/storageclass.* not found/i, 'create that StorageClass, or make the claim again with one that exists'],
  [
    /no persistent volumes available .* no storage class is set/i,
    'make a PersistentVolume that fits, or make the claim again with a storageClassName',
  ],
  [/external provisioner/i, 'check that the provisioner of its StorageClass runs'],
];

/** Read from top to bottom: the first that finds something is what the user is told. */
const looks: readonly Look[] = [
  missingObject('Secret', Reason.SecretNotFound),
  missingObject('ConfigMap', Reason.ConfigMapNotFound),
  said(
    ['FailedAttachVolume'],
    Reason.FailedAttachVolume,
    'a volume of access mode ReadWriteOnce serves one node at a time',
  ),
  said(['FailedMount', 'FailedMapVolume'], Reason.FailedMount),
  said(['FailedCreatePodSandBox', 'NetworkNotReady'], Reason.ContainerNotStarted),
  unboundClaim,
];

/** What Kubernetes complains of in events about the pod or its claims, in the user's words and with what to do. */
export const complaintProblem = (world: World): Problem | undefined => {
  for (const look of looks) {
    const problem = look(world.complaints, world);
    if (problem !== undefined) return problem;
  }
  return undefined;
};
