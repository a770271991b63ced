import {Finalizer} from '@wherry/api';
import {ApiError, type Client, type Clock, core, isConflict, keyOf, pause, type Resource} from '@wherry/kube';
import {finalizerPatch} from '../finalizers.ts';
import {hasFinalizer, type Instance, type Machine} from '../objects.ts';
import {instances, machines} from '../resources.ts';
import {HookError} from './errors.ts';

export interface UninstallOptions {
  readonly client: Pick<Client, 'get' | 'list' | 'mergePatch'>;
  readonly clock: Clock;
  /** Of the release. */
  readonly namespace: string;
  readonly release: string;
  /** Writes a line for the person who uninstalls. */
  readonly say: (line: string) => void;
  /** How long the operator may take to end, ms. Defaults to 60,000. */
  readonly patienceMs?: number;
}

interface Found {
  readonly machines: readonly Machine[];
  readonly instances: readonly Instance[];
}

/** Names shown at most: who has hundreds needs no list here. */
const shown = 10;

/** Without its definitions there is nothing of a kind. */
const orNone = <T>(listing: Promise<readonly T[]>): Promise<readonly T[]> =>
  listing.catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  });

const find = async ({client}: UninstallOptions): Promise<Found> => ({
  machines: await orNone(client.list(machines)),
  instances: await orNone(client.list(instances)),
});

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

const summary = (found: Found): string =>
  `${plural(found.machines.length, 'VirtualMachine')} and ${plural(found.instances.length, 'VirtualMachineInstance')}`;

const lines = (found: Found): readonly string[] => {
  const all = [
    ...found.machines.map(({metadata, status}) => line('VirtualMachine', metadata, status?.printableStatus)),
    ...found.instances.map(({metadata, status}) => line('VirtualMachineInstance', metadata, status?.phase)),
  ];
  return all.length <= shown ? all : [...all.slice(0, shown), `  and ${all.length - shown} more`];
};

const line = (kind: string, {namespace, name}: Machine['metadata'], state = 'Unknown'): string =>
  `  ${kind} ${namespace}/${name}: ${state}`;

/** @throws HookError with what exists and what can be done about it, where there are machines. */
export const refuseWhileUsed = async (options: UninstallOptions): Promise<void> => {
  const {namespace, release, say} = options;
  const found = await find(options);
  if (found.machines.length + found.instances.length === 0) {
    say('There are no virtual machines: nothing stands in the way.');
    return;
  }
  throw new HookError(
    [
      `Wherry is not uninstalled: there are ${summary(found)}.`,
      ...lines(found),
      'Nothing was removed and no guest was touched. Delete the machines and uninstall again:',
      '  kubectl delete vm,vmi -A --all',
      'Or go on: helm takes the release for half uninstalled, until it is put back:',
      `  helm rollback ${release} -n ${namespace}`,
      'With the value uninstall.virtualMachines=Keep an uninstall leaves guests running and all objects in place.',
    ].join('\n'),
  );
};

const operatorPods = 'app.kubernetes.io/name=wherry,app.kubernetes.io/component=operator';

/** Its finalizers would be put on again. @throws HookError when it does not end. */
const operatorEnded = async (options: UninstallOptions, signal: AbortSignal): Promise<void> => {
  const {client, clock, namespace, patienceMs = 60_000} = options;
  const began = clock.monotonic();
  for (;;) {
    const left = await client.list(core.pods, {namespace, labelSelector: operatorPods}, signal);
    if (left.length === 0) return;
    if (clock.monotonic() - began > patienceMs) {
      const names = left.map(({metadata}) => metadata.name).join(', ');
      throw new HookError(`pods of the operator have not ended in ${patienceMs / 1000} s: ${names}`);
    }
    await pause(clock, 500, signal);
    signal.throwIfAborted();
  }
};

/**
 * Takes Wherry's finalizers off all objects, once no operator runs: whoever deletes a machine from then on need not wait
 * for a controller that is gone. Guests run on, and end with their objects by garbage collection.
 */
export const letGo = async (options: UninstallOptions, signal: AbortSignal): Promise<void> => {
  const {client, say, namespace, release} = options;
  await operatorEnded(options, signal);
  const found = await find(options);
  for (const vm of found.machines) await takeOff(client, machines, vm, Finalizer.virtualMachine, signal);
  for (const vmi of found.instances) await takeOff(client, instances, vmi, Finalizer.instance, signal);
  if (found.machines.length + found.instances.length === 0) return;
  [
    `Wherry is uninstalled. ${summary(found)} stay, and guests that run go on running in their pods.`,
    'Nobody restarts them or keeps their status. kubectl delete vm NAME shuts a guest down and removes it.',
    `Install Wherry again as release ${release} in namespace ${namespace} and it manages them as before.`,
  ].forEach(say);
};

const takeOff = async <T extends Machine | Instance>(
  client: UninstallOptions['client'],
  resource: Resource<T>,
  object: T,
  finalizer: string,
  signal: AbortSignal,
): Promise<void> => {
  // Read again after somebody else wrote it meanwhile.
  for (let now: T | undefined = object; now !== undefined; now = await client.get(resource, keyOf(object), signal)) {
    if (!hasFinalizer(now, finalizer)) return;
    try {
      await client.mergePatch(resource, keyOf(now), finalizerPatch(now, finalizer, 'remove'), {signal});
      return;
    } catch (error) {
      if (!isConflict(error) && !isGone(error)) throw error;
    }
  }
};

const isGone = (error: unknown): boolean => error instanceof ApiError && error.isNotFound;
