import {virtualMachineKind} from '@wherry/api';
import {expect, test} from '@jest/globals';
import type {Clock} from '@wherry/kube';
import type {Instance, Machine} from '../objects.ts';
import {aMachine, anInstance, aPod, running} from '../testing/fixtures.ts';
import {type GuestTestOptions, testGuest, testMachine} from './test-guest.ts';

const owner = {apiVersion: 'v1', kind: 'Pod', name: 'wherry-test', uid: 'u'};
const key = {namespace: 'vms', name: 'wherry-test-1'};
const never = new AbortController().signal;

/** What the cluster shows at one look. */
interface Look {
  readonly vm?: Machine['status'];
  readonly vmi?: Instance['status'];
  readonly log?: string;
}

/** A cluster that shows these looks one after the other, the last again and again; each wait turns a page. */
const world = (looks: readonly Look[], stays = false) => {
  const said: string[] = [];
  const calls: string[] = [];
  let at = 0;
  let deleted = false;
  const look = (): Look => looks[Math.min(at, looks.length - 1)] ?? {};
  const clock: Clock = {
    now: () => at * 500,
    monotonic: () => at * 500,
    schedule: (_ms, run) => {
      at += 1;
      queueMicrotask(run);
      return () => undefined;
    },
  };
  const client = {
    create: async (_resource: unknown, object: {kind: string}) => void calls.push(`create ${object.kind}`),
    get: async ({plural}: {plural: string}) => {
      const {vm, vmi} = look();
      if (deleted && !stays) return undefined;
      if (plural === virtualMachineKind.plural) return aMachine(vm === undefined ? {} : {status: vm});
      return vmi === undefined ? undefined : anInstance({status: vmi});
    },
    list: async (_resource: unknown, {labelSelector}: {labelSelector: string}) => {
      calls.push(labelSelector);
      return look().log === undefined ? [] : [aPod()];
    },
    podLog: async () => look().log ?? '',
    delete: async () => {
      calls.push('delete');
      deleted = true;
    },
  } as unknown as GuestTestOptions['client'];
  const options = {client, clock, key, image: 'guest:1', expect: 'login:', timeoutMs: 5000, owner};
  return {options: {...options, say: (line: string) => void said.push(line)}, said, calls};
};

const runs: Look = {
  vm: {printableStatus: 'Running'},
  vmi: {...running, engine: {name: 'qemu', version: '10.0.13', reason: 'Only'}},
};

test('the machine is small, leaves with the test, and is not started again when it fails', () => {
  expect(testMachine({key, image: 'guest:1', owner})).toMatchObject({
    metadata: {...key, ownerReferences: [owner]},
    spec: {runStrategy: 'Once', template: {spec: {domain: {memory: {guest: '128Mi'}}}}},
  });
});

test('a guest that boots is told of step by step, and removed', async () => {
  const {options, said, calls} = world([
    {vm: {printableStatus: 'Starting'}},
    {...runs},
    {...runs, log: 'Linux version'},
    {...runs, log: 'Linux version\ntiny login: root'},
  ]);
  await testGuest(options, never);
  expect(said).toEqual([
    'VirtualMachine vms/wherry-test-1 made from guest:1',
    'its status is Starting',
    'its status is Running',
    'it runs on n1 with qemu',
    'it has booted: its console shows login:',
    'the machine is removed',
  ]);
  expect(calls[0]).toBe('create VirtualMachine');
  expect(calls).toContain('kubevirt.io/created-by=vmi-uid');
  expect(calls.at(-1)).toBe('delete');
});

test('a machine that does not run in time fails the test with its conditions, and is removed', async () => {
  const message = 'no node is labelled kubevirt.io/schedulable=true';
  const {options, calls} = world([
    {vm: {printableStatus: 'ErrorUnschedulable', conditions: [{type: 'Ready', status: 'False', message}]}},
  ]);
  await expect(testGuest(options, never)).rejects.toThrow(
    `not within 5 s: the machine does not run: ErrorUnschedulable, no instance; Ready: ${message}`,
  );
  expect(calls.at(-1)).toBe('delete');
});

test('a guest that ends fails the test at once', async () => {
  const {options, calls} = world([{vm: {printableStatus: 'Stopped'}, vmi: {...running, phase: 'Failed'}}]);
  await expect(testGuest(options, never)).rejects.toThrow('the guest has ended: Stopped, Failed');
  expect(calls.at(-1)).toBe('delete');
});

test('a console that never shows the text fails the test with its end', async () => {
  const {options, calls} = world([{...runs, log: 'Kernel panic'}]);
  await expect(testGuest(options, never)).rejects.toThrow(/does not show "login:"; its end:\nKernel panic/);
  expect(calls.at(-1)).toBe('delete');
});

test('a machine that is not removed fails the test', async () => {
  const {options} = world([{...runs, log: 'login:'}], true);
  await expect(testGuest(options, never)).rejects.toThrow('the machine is not removed');
});

test('a test that is ended removes its machine', async () => {
  const {options, calls} = world([{vm: {printableStatus: 'Starting'}}]);
  await expect(testGuest(options, AbortSignal.abort(new Error('ended')))).rejects.toThrow('ended');
  expect(calls.at(-1)).toBe('delete');
});
