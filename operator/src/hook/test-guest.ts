import {API_VERSION, isFinal, Label, type OwnerReference} from '@wherry/api';
import {type Client, type Clock, core, type Key, pause} from '@wherry/kube';
import type {Instance, Machine} from '../objects.ts';
import {instances, machines} from '../resources.ts';
import {HookError} from './errors.ts';

export interface GuestTestOptions {
  readonly client: Pick<Client, 'create' | 'get' | 'list' | 'delete' | 'podLog'>;
  readonly clock: Clock;
  /** Where the machine is made, and its name. */
  readonly key: {readonly namespace: string; readonly name: string};
  /** An image with /boot/vmlinux and /boot/initrd. */
  readonly image: string;
  /** What the guest's console must show. */
  readonly expect: string;
  /** For all of it, ms. */
  readonly timeoutMs: number;
  /** The pod that the test runs in: the machine goes with it, however it ends. */
  readonly owner: OwnerReference;
  /** Writes a line for the person who tests. */
  readonly say: (line: string) => void;
}

/** How often things are looked at, ms. */
const everyMs = 500;

const kernelArgs = 'console=ttyS0 quiet mitigations=off tsc=reliable no_timer_check random.trust_cpu=on';

export const testMachine = ({key, image, owner}: Pick<GuestTestOptions, 'key' | 'image' | 'owner'>): object => ({
  apiVersion: API_VERSION,
  kind: 'VirtualMachine',
  metadata: {...key, ownerReferences: [owner]},
  spec: {
    // A guest that fails is looked at, not started again and again.
    runStrategy: 'Once',
    template: {
      spec: {
        terminationGracePeriodSeconds: 0,
        domain: {
          memory: {guest: '128Mi'},
          firmware: {
            kernelBoot: {
              kernelArgs,
              container: {image, kernelPath: '/boot/vmlinux', initrdPath: '/boot/initrd'},
            },
          },
          devices: {interfaces: [{name: 'default', masquerade: {}}]},
        },
        networks: [{name: 'default', pod: {}}],
      },
    },
  },
});

/**
 * Makes a small machine, waits until its guest has booted, and removes it; also after a failure.
 * @throws HookError that says how far it came, and what the machine's conditions say.
 */
export const testGuest = async (options: GuestTestOptions, signal: AbortSignal): Promise<void> => {
  const {client, key, say} = options;
  await client.create(machines, testMachine(options) as Machine, {signal});
  say(`VirtualMachine ${key.namespace}/${key.name} made from ${options.image}`);
  try {
    const vmi = await running(options, signal);
    say(`it runs on ${vmi.status?.nodeName ?? '?'} with ${vmi.status?.engine?.name ?? '?'}`);
    await booted(options, vmi, signal);
    say(`it has booted: its console shows ${options.expect}`);
  } catch (error) {
    await client.delete(machines, key).catch(() => undefined);
    throw error;
  }
  await client.delete(machines, key);
  await gone(options, signal);
  say('the machine is removed');
};

/** What `look` finds, once it finds something. */
const until = async <T>(
  {clock, timeoutMs}: GuestTestOptions,
  look: () => Promise<T | undefined>,
  tooLate: () => Promise<string>,
  signal: AbortSignal,
): Promise<T> => {
  const began = clock.monotonic();
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (clock.monotonic() - began > timeoutMs)
      throw new HookError(`not within ${timeoutMs / 1000} s: ${await tooLate()}`);
    await pause(clock, everyMs, signal);
    signal.throwIfAborted();
  }
};

const running = (options: GuestTestOptions, signal: AbortSignal): Promise<Instance> => {
  const {client, key, say} = options;
  let last = '';
  return until(
    options,
    async () => {
      const vm = await client.get(machines, key, signal);
      const status = vm?.status?.printableStatus ?? 'Starting';
      if (status !== last) say(`its status is ${status}`);
      last = status;
      const vmi = await client.get(instances, key, signal);
      if (isFinal(vmi?.status?.phase)) throw new HookError(`the guest has ended: ${await conditions(options)}`);
      return vmi?.status?.phase === 'Running' ? vmi : undefined;
    },
    async () => `the machine does not run: ${await conditions(options)}`,
    signal,
  );
};

const booted = (options: GuestTestOptions, vmi: Instance, signal: AbortSignal): Promise<true> => {
  const {client, key, expect} = options;
  let log = '';
  return until(
    options,
    async () => {
      const [pod] = await client.list(core.pods, {
        namespace: key.namespace,
        labelSelector: `${Label.createdBy}=${vmi.metadata.uid}`,
      });
      if (pod !== undefined) log = await client.podLog(podKey(key, pod.metadata.name), signal);
      return log.includes(expect) ? true : undefined;
    },
    async () => `the console does not show "${expect}"; its end:\n${log.slice(-1000)}`,
    signal,
  );
};

const podKey = ({namespace}: {readonly namespace: string}, name = ''): Key => ({namespace, name});

const gone = (options: GuestTestOptions, signal: AbortSignal): Promise<true> =>
  until(
    options,
    async () => ((await options.client.get(machines, options.key, signal)) === undefined ? true : undefined),
    async () => `the machine is not removed: ${await conditions(options)}`,
    signal,
  );

/** What machine and instance say of themselves. */
const conditions = async ({client, key}: GuestTestOptions): Promise<string> => {
  const [vm, vmi] = [await client.get(machines, key), await client.get(instances, key)];
  const told = [...(vm?.status?.conditions ?? []), ...(vmi?.status?.conditions ?? [])]
    .filter(({message}) => (message ?? '') !== '')
    .map(({type, message}) => `${type}: ${message}`);
  const states = [vm?.status?.printableStatus ?? 'no status', vmi?.status?.phase ?? 'no instance'];
  return [states.join(', '), ...new Set(told)].join('; ');
};
