import {API_VERSION, Label, LAUNCHER_APP, podNameOf} from '@wherry/api';
import type {PodDisruptionBudget} from '@wherry/kube';
import type {Instance} from '../objects.ts';

/**
 * What keeps the pod of an instance from being evicted: the API server answers every attempt with 429, and `kubectl
 * drain` tries again and again. It goes with the instance, which owns it.
 */
export const renderBudget = ({metadata}: Instance): PodDisruptionBudget => ({
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: {
    name: podNameOf(metadata.name, metadata.uid),
    namespace: metadata.namespace,
    labels: {[Label.app]: LAUNCHER_APP, [Label.createdBy]: metadata.uid},
    ownerReferences: [
      {
        apiVersion: API_VERSION,
        kind: 'VirtualMachineInstance',
        name: metadata.name,
        uid: metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  },
  spec: {minAvailable: 1, selector: {matchLabels: {[Label.createdBy]: metadata.uid}}},
});
