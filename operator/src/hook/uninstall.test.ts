import {Finalizer} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {ApiError, type Clock, type Pod, type Resource} from '@wherry/kube';
import type {Instance, Machine} from '../objects.ts';
import {aMachine, anInstance, running} from '../testing/fixtures.ts';
import {letGo, refuseWhileUsed, type UninstallOptions} from './uninstall.ts';

type AnyObject = Machine | Instance | Pod;

/** Time passes as it is waited for. */
const clockOf = (): Clock => {
  let now = 0;
  return {
    now: () => now,
    monotonic: () => now,
    schedule: (ms, run) => {
      now += ms;
      queueMicrotask(run);
      return () => undefined;
    },
  };
};

const conflict = new ApiError(409, {reason: 'Conflict'}, {call: 'PATCH'});
const notFound = new ApiError(404, {reason: 'NotFound'}, {call: 'PATCH'});

/** A cluster with these objects, in which patches of the names in `refused` fail so. */
const world = (objects: Partial<Record<string, readonly AnyObject[]>>, refused: Record<string, ApiError[]> = {}) => {
  const said: string[] = [];
  const patches: [string, string, unknown][] = [];
  /** One more pod of the operator ends at each look. */
  const pods = [...(objects['pods'] ?? [])];
  const client = {
    list: async ({plural}: Resource<never>) => {
      if (plural !== 'pods') {
        const found = objects[plural];
        if (found === undefined) throw new ApiError(404, {}, {call: 'GET'});
        return found;
      }
      return pods.splice(0, 1).length === 0 ? [] : [...pods, ...(objects['pods'] ?? []).slice(-1)];
    },
    get: async ({plural}: Resource<never>, {name}: {name: string}) =>
      objects[plural]?.find(({metadata}) => metadata.name === name),
    mergePatch: async ({plural}: Resource<never>, {name}: {name: string}, patch: unknown) => {
      const refusal = refused[name]?.shift();
      if (refusal !== undefined) throw refusal;
      patches.push([plural, name, patch]);
    },
  } as unknown as UninstallOptions['client'];
  const options: UninstallOptions = {
    client,
    clock: clockOf(),
    namespace: 'vms',
    release: 'boats',
    say: line => said.push(line),
  };
  return {options, said, patches};
};

const never = new AbortController().signal;
const web = aMachine({status: {printableStatus: 'Running'}});
const guest = anInstance({status: running});

test.each([
  ['no objects', {virtualmachines: [], virtualmachineinstances: []}],
  ['no definitions', {}],
])('with %s nothing stands in the way', async (_what, objects) => {
  const {options, said} = world(objects);
  await refuseWhileUsed(options);
  expect(said).toEqual(['There are no virtual machines: nothing stands in the way.']);
});

test('with machines it is refused, by their names and with both ways out', async () => {
  const {options} = world({virtualmachines: [web], virtualmachineinstances: [guest]});
  const refusal = refuseWhileUsed(options);
  await expect(refusal).rejects.toMatchObject({code: 'OPERATOR_HOOK'});
  await expect(refusal).rejects.toThrow(
    [
      'Wherry is not uninstalled: there are 1 VirtualMachine and 1 VirtualMachineInstance.',
      '  VirtualMachine default/web: Running',
      '  VirtualMachineInstance default/web: Running',
      'Nothing was removed and no guest was touched. Delete the machines and uninstall again:',
      '  kubectl delete vm,vmi -A --all',
      'Or go on: helm takes the release for half uninstalled, until it is put back:',
      '  helm rollback boats -n vms',
      'With the value uninstall.virtualMachines=Keep an uninstall leaves guests running and all objects in place.',
    ].join('\n'),
  );
});

test('an instance alone is enough, and of many only some are named', async () => {
  const many = Array.from({length: 12}, (_, at) => anInstance({metadata: {name: `guest-${at}`}}));
  const {options} = world({virtualmachines: [], virtualmachineinstances: many});
  await expect(refuseWhileUsed(options)).rejects.toThrow(
    /0 VirtualMachines and 12 VirtualMachineInstances\.\n(  .*\n){10}  and 2 more\n/,
  );
});

test('an answer other than that there is no such kind is an error', async () => {
  const {options} = world({});
  const failing = {...options, client: {...options.client, list: async () => Promise.reject(new Error('away'))}};
  await expect(refuseWhileUsed(failing)).rejects.toThrow('away');
});

test('what stays is let go of: our finalizers go, others stay', async () => {
  const vm = aMachine({metadata: {finalizers: ['example.com/backup', Finalizer.virtualMachine]}});
  const bare = aMachine({metadata: {name: 'bare', finalizers: []}});
  const {options, said, patches} = world({virtualmachines: [vm, bare], virtualmachineinstances: [guest]});
  await letGo(options, never);
  expect(patches).toEqual([
    ['virtualmachines', 'web', {metadata: {resourceVersion: '7', finalizers: ['example.com/backup']}}],
    ['virtualmachineinstances', 'web', {metadata: {resourceVersion: '7', finalizers: []}}],
  ]);
  expect(said.join('\n')).toMatch(
    /2 VirtualMachines and 1 VirtualMachineInstance stay.*\n.*\n.*release boats in namespace vms/,
  );
});

test('an object that changed meanwhile is read again, and one that went away is no problem', async () => {
  const {options, patches} = world(
    {virtualmachines: [web], virtualmachineinstances: [anInstance({metadata: {name: 'gone'}})]},
    {web: [conflict], gone: [notFound]},
  );
  const {client} = options;
  const get = (async (resource: Resource<never>, key: {name: string}) =>
    key.name === 'gone' ? undefined : client.get(resource, key)) as unknown as UninstallOptions['client']['get'];
  await letGo({...options, client: {...client, get}}, never);
  expect(patches.map(([, name]) => name)).toEqual(['web']);
});

test('any other refusal is an error', async () => {
  const forbidden = new ApiError(403, {message: 'no'}, {call: 'PATCH'});
  const {options} = world({virtualmachines: [web], virtualmachineinstances: []}, {web: [forbidden]});
  await expect(letGo(options, never)).rejects.toBe(forbidden);
});

test('without machines there is nothing to say', async () => {
  const {options, said} = world({virtualmachines: [], virtualmachineinstances: []});
  await letGo(options, never);
  expect(said).toEqual([]);
});

const operatorPod = (name: string): Pod => ({apiVersion: 'v1', kind: 'Pod', metadata: {name}});

test('an operator that still runs is waited for', async () => {
  const pods = [operatorPod('a'), operatorPod('b')];
  const {options, patches} = world({pods, virtualmachines: [web], virtualmachineinstances: []});
  await letGo(options, never);
  expect(options.clock.monotonic()).toBeGreaterThan(0);
  expect(patches).toHaveLength(1);
});

test('an operator that does not end is named, and nothing is let go of', async () => {
  const {options, patches} = world({virtualmachines: [web], virtualmachineinstances: []});
  const list = (async () => [operatorPod('stuck')]) as unknown as UninstallOptions['client']['list'];
  const stuck = {...options, client: {...options.client, list}, patienceMs: 3000};
  await expect(letGo(stuck, never)).rejects.toThrow('pods of the operator have not ended in 3 s: stuck');
  expect(patches).toEqual([]);
});
