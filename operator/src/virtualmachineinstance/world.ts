import type {Config} from '@wherry/api';
import type {PersistentVolumeClaim, Pod} from '@wherry/kube';
import type {Instance} from '../objects.ts';
import type {DaemonState} from '../node/sighting.ts';
import type {NodeView} from '../pod/node-fit.ts';
import type {Complaint} from './complaints.ts';

/** Everything that a decision about one instance may look at. */
export interface World {
  readonly vmi: Instance;
  /** The pod of this run, while it is in the API. Once the run is handed to a node it is the pod that was handed over. */
  readonly pod: Pod | undefined;
  /** That pod as it was last seen, when it is gone by now and its container had ended. */
  readonly lastWords: Pod | undefined;
  /** Other pods that carry the instance as their controller: none of them may live. */
  readonly strays: readonly Pod[];
  /** Claims that the spec names, by name; those that do not exist are missing. */
  readonly claims: ReadonlyMap<string, PersistentVolumeClaim>;
  /** What Kubernetes says in events about a pod that is stuck. */
  readonly complaints: readonly Complaint[];
  /** When to look for such events again, in ms; undefined where nothing is awaited. */
  readonly lookAgainMs: number | undefined;
  readonly nodes: readonly NodeView[];
  /** The node of the run is gone from the API, or declared out of service, and nothing on it is heard of. */
  readonly nodeFenced: boolean;
  /** The kubelet of the node of the run is heard of, by the node controller's account. */
  readonly nodeReady: boolean;
  /** What is heard of the node-daemon there. */
  readonly daemon: DaemonState;
  /** The node of the run is being drained; looked at only where that matters. */
  readonly nodeDraining: boolean;
  /** The budget that protects the pod from eviction is there. */
  readonly budget: boolean;
  readonly config: Config;
}

/** The claim behind a volume. */
export const claimNameOf = (volume: NonNullable<Instance['spec']['volumes']>[number]): string | undefined =>
  (volume.persistentVolumeClaim ?? volume.ephemeral?.persistentVolumeClaim)?.claimName;

export const claimNames = (vmi: Instance): string[] =>
  (vmi.spec.volumes ?? []).map(claimNameOf).filter(name => name !== undefined);
