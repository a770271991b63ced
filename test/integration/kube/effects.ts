import {type Client, type ConfigMap, type Key, LeaseElection, type LeaseElectionOptions} from '@wherry/kube';
import {Registry} from 'prom-client';
import {configMap, configMaps, silent} from './world.ts';

/** Short enough for a test; another may lead three seconds after the last renewal. */
export const times = {durationMs: 3000, renewDeadlineMs: 2000, retryMs: 300};

export const electionOf = (
  options: Pick<LeaseElectionOptions, 'client' | 'identity'> & {readonly lease: Required<Key>},
): LeaseElection => new LeaseElection({...times, log: silent, registry: new Registry(), ...options});

/** Many hands that read and then write, without a pause: wherever a process is stopped, some are between the two. */
export const act = async (client: Client, by: string, signal: AbortSignal): Promise<void> => {
  const hand = async (): Promise<void> => {
    while (!signal.aborted) {
      await client.get(configMaps, {namespace: 'default', name: 'kube-root-ca.crt'}, signal);
      await client.create(configMaps, effectOf(by), {signal});
    }
  };
  await Promise.all(Array.from({length: 10}, hand));
};

const effectOf = (by: string): ConfigMap => ({
  ...configMap(''),
  metadata: {namespace: 'default', generateName: 'effect-', labels: {effect: by}},
});

/** resourceVersions at which `by` did something. All kinds of one etcd share one count. */
export const effects = async (client: Client, by: string): Promise<number[]> =>
  (await client.list(configMaps, {namespace: 'default', labelSelector: `effect=${by}`})).map(({metadata}) =>
    Number(metadata.resourceVersion),
  );
