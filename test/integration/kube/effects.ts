import {type Client, type ConfigMap, type Key, LeaseElection, type LeaseElectionOptions} from '@wherry/kube';
import {Registry} from 'prom-client';
import {configMap, configMaps, silent} from './world.ts';

/** Short enough for a test; another may lead three seconds after the last renewal. */
export const times = {durationMs: 3000, renewDeadlineMs: 2000, retryMs: 300};

export const electionOf = (
  options: Pick<LeaseElectionOptions, 'client' | 'identity'> & {readonly lease: Required<Key>},
): LeaseElection => new LeaseElection({...times, log: silent, registry: new Registry(), ...options});

/** How many hands `act` has. */
const hands = 10;

/** Many hands that read and then write, without a pause. `between` is awaited by each between the two. */
export const act = async (
  client: Client,
  by: string,
  signal: AbortSignal,
  between: () => Promise<void> = async () => {},
): Promise<void> => {
  const hand = async (): Promise<void> => {
    while (!signal.aborted) {
      await client.get(configMaps, {namespace: 'default', name: 'kube-root-ca.crt'}, signal);
      await between();
      await client.create(configMaps, effectOf(by), {signal});
    }
  };
  await Promise.all(Array.from({length: hands}, hand));
};

/** Calls `met` where all hands of `act` are between their reads and their writes, once, after `rounds` of them. */
export const meeting = (rounds: number, met: () => void): (() => Promise<void>) => {
  let awaited = (rounds + 1) * hands;
  const all = Promise.withResolvers<void>();
  return async () => {
    awaited -= 1;
    if (awaited === 0) {
      met();
      all.resolve();
    }
    if (awaited < hands) await all.promise;
  };
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
