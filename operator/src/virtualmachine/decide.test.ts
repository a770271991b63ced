import type {InstanceStatus, MachineStatus, RunStrategy} from '@wherry/api';
import {describe, expect, test} from '@jest/globals';
import {aMachine, anInstance, running} from '../testing/fixtures.ts';
import {aMachineWorld, now} from '../testing/worlds.ts';
import {decide, type Plan} from './decide.ts';
import type {World} from './world.ts';

const never = (): number => 0;
const plan = (overrides: Partial<World>): Plan => decide(aMachineWorld(overrides), now, never);
const deletionTimestamp = '2026-01-01T00:00:00Z';
const deleted = (finalizers?: string[]) =>
  aMachine({metadata: {deletionTimestamp, ...(finalizers === undefined ? {} : {finalizers})}});
const under = (runStrategy: RunStrategy, status?: MachineStatus) =>
  aMachine({spec: {runStrategy}, ...(status === undefined ? {} : {status})});
const ended = (phase: 'Succeeded' | 'Failed', status: InstanceStatus = running) =>
  anInstance({status: {...status, phase}});

test('a new machine gets its finalizer and its first run', () => {
  const {finalizer, create, stop} = plan({vm: aMachine({metadata: {finalizers: []}})});
  expect(finalizer).toBe('add');
  expect(create?.metadata.name).toBe('web');
  expect(stop).toBe(false);
});

test('a running guest is left alone', () => {
  expect(plan({vmi: anInstance({status: running})})).toMatchObject({create: undefined, stop: false, finalizer: 'keep'});
});

test('a halted machine’s guest is stopped', () => {
  expect(plan({vm: under('Halted'), vmi: anInstance({status: running})}).stop).toBe(true);
});

test('a failed guest under RerunOnFailure is cleared away only when the owed start is on record', () => {
  const vmi = ended('Failed');
  expect(plan({vm: under('RerunOnFailure', {runStrategy: 'RerunOnFailure'}), vmi}).stop).toBe(false);
  const recorded = under('RerunOnFailure', {
    runStrategy: 'RerunOnFailure',
    stateChangeRequests: [{action: 'Start'}],
  });
  expect(plan({vm: recorded, vmi}).stop).toBe(true);
  expect(plan({vm: recorded}).create).toBeDefined();
});

test('a guest that powered itself off under RerunOnFailure is cleared away and not started again', () => {
  const vm = under('RerunOnFailure', {runStrategy: 'RerunOnFailure'});
  expect(plan({vm, vmi: ended('Succeeded')}).stop).toBe(true);
  expect(plan({vm}).create).toBeUndefined();
});

test('a guest that never ran is cleared away only when its failure is counted, and started again after the back-off', () => {
  const vmi = ended('Failed', {});
  expect(plan({vmi}).stop).toBe(false);
  const startFailure = {
    consecutiveFailCount: 1,
    lastFailedVMIUID: 'vmi-uid',
    retryAfterTimestamp: new Date(now + 10_000).toISOString(),
  };
  const counted = under('Always', {startFailure});
  expect(plan({vm: counted, vmi}).stop).toBe(true);
  expect(plan({vm: counted})).toMatchObject({create: undefined, afterMs: 10_000});
  expect(decide(aMachineWorld({vm: counted}), now + 10_000, never).create).toBeDefined();
});

test('a guest that fails after it ran is started again at once', () => {
  expect(plan({vmi: ended('Failed')}).stop).toBe(true);
  expect(plan({}).create).toBeDefined();
});

describe('what is asked in stateChangeRequests', () => {
  const start = {action: 'Start'} as const;
  const stop = {action: 'Stop', uid: 'vmi-uid'} as const;

  test('starts and stops a machine under Manual, which does nothing else', () => {
    expect(plan({vm: under('Manual')})).toMatchObject({create: undefined, stop: false});
    expect(plan({vm: under('Manual', {stateChangeRequests: [start]})}).create).toBeDefined();
    const vmi = anInstance({status: running});
    expect(plan({vm: under('Manual', {stateChangeRequests: [stop]}), vmi}).stop).toBe(true);
    expect(plan({vm: under('Manual', {created: true}), vmi: ended('Failed')})).toMatchObject({stop: false});
  });

  test('may want a guest that waits', () => {
    const paused = {...start, data: {paused: 'true'}};
    expect(plan({vm: under('Manual', {stateChangeRequests: [paused]})}).create?.spec.startStrategy).toBe('Paused');
    expect(plan({vm: under('Manual', {stateChangeRequests: [start]})}).create?.spec).not.toHaveProperty(
      'startStrategy',
    );
  });

  test('a start of a halted machine changes its strategy, and nothing else yet', () => {
    const vm = under('Halted', {runStrategy: 'Halted', stateChangeRequests: [start]});
    expect(plan({vm})).toMatchObject({setAlways: true, create: undefined, stop: false});
    expect(plan({vm: under('Halted', {runStrategy: 'Halted'})}).setAlways).toBe(false);
  });

  test('a restart stops the run, and then starts the next one, held back by nothing', () => {
    const restart = under('RerunOnFailure', {
      runStrategy: 'RerunOnFailure',
      created: true,
      stateChangeRequests: [stop, start],
    });
    expect(plan({vm: restart, vmi: anInstance({status: running})}).stop).toBe(true);
    expect(plan({vm: restart}).create).toBeDefined();
  });

  test('a stop that is no longer asked of an ended run is struck off before the run is cleared away', () => {
    const old = under('Always', {created: true, stateChangeRequests: [{action: 'Stop', uid: 'old'}]});
    expect(plan({vm: old, vmi: ended('Failed')}).stop).toBe(false);
  });
});

test('halting a crash-looping machine does not wait for anything', () => {
  const startFailure = {
    consecutiveFailCount: 1,
    lastFailedVMIUID: 'vmi-uid',
    retryAfterTimestamp: '2099-01-01T00:00:00Z',
  };
  const halted = under('Halted', {startFailure});
  expect(plan({vm: halted})).toMatchObject({create: undefined, afterMs: undefined});
});

test('no second run is made while the first one is going', () => {
  expect(plan({vmi: anInstance({metadata: {deletionTimestamp}, status: running})})).toMatchObject({
    create: undefined,
    stop: false,
  });
});

test('an instance of the same name that belongs to nobody is never touched, and named as the obstacle', () => {
  const vmi = anInstance({metadata: {ownerReferences: []}, status: running});
  const {create, stop, blocked} = plan({vmi});
  expect([create, stop]).toEqual([undefined, false]);
  expect(blocked?.message).toMatch(/VirtualMachineInstance web exists.*does not belong.*delete it/);
});

describe('a stored machine that asks for what is not supported', () => {
  const template = {resourceClaims: [{name: 'gpu'}]} as object;
  const message = expect.stringContaining('resourceClaims is not supported');

  test('is not started, and says why: once as an event, and for as long as it stands in its condition', () => {
    const vm = aMachine({template});
    expect(plan({vm})).toMatchObject({
      create: undefined,
      blocked: {reason: 'NotSupported', message},
      events: [{type: 'Warning', reason: 'FailedCreate', message}],
    });
    const said = plan({vm}).blocked!;
    const told = aMachine({template, status: {conditions: [{type: 'Failure', status: 'True', ...said}]}});
    expect(plan({vm: told})).toMatchObject({blocked: said, events: []});
  });

  test('is told of annotations of its template, which its instance would get, and not of its own', () => {
    const annotations = {'kubevirt.io/ignitiondata': '{}'};
    const inTemplate = {metadata: {annotations}, spec: aMachine().spec.template.spec};
    expect(plan({vm: aMachine({spec: {template: inTemplate}})}).blocked?.message).toMatch(/ignitiondata/);
    expect(plan({vm: aMachine({metadata: {annotations}})}).blocked).toBeUndefined();
  });

  test('that runs goes on, and stops when it is halted', () => {
    expect(plan({vm: aMachine({template}), vmi: anInstance({status: running})})).toMatchObject({
      blocked: undefined,
      stop: false,
    });
    const halted = aMachine({template, spec: {runStrategy: 'Halted'}});
    expect(plan({vm: halted, vmi: anInstance({status: running})})).toMatchObject({blocked: undefined});
    expect(plan({vm: halted}).blocked).toBeUndefined();
  });
});

test('the dying run of a deleted machine of the same name is only waited for', () => {
  const vmi = anInstance({
    metadata: {
      deletionTimestamp,
      ownerReferences: [
        {apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachine', name: 'web', uid: 'old', controller: true},
      ],
    },
  });
  expect(plan({vmi})).toMatchObject({create: undefined, stop: false, blocked: undefined});
});

const deletion: [sentence: string, world: Partial<World>, expected: Partial<Plan>][] = [
  [
    'deleting a machine stops its guest first',
    {vm: deleted(), vmi: anInstance({status: running})},
    {stop: true, finalizer: 'keep'},
  ],
  [
    'it stops a guest once',
    {vm: deleted(), vmi: anInstance({metadata: {deletionTimestamp}})},
    {stop: false, finalizer: 'keep'},
  ],
  ['when the run is gone the finalizer goes', {vm: deleted()}, {finalizer: 'remove', create: undefined}],
  [
    'orphaning leaves the guest running and lets the machine go',
    {vm: deleted(['orphan', 'kubevirt.io/virtualMachineControllerFinalize']), vmi: anInstance({status: running})},
    {stop: false, finalizer: 'remove'},
  ],
  ['a finalizer that is off is not removed again', {vm: deleted(['other'])}, {finalizer: 'keep'}],
];

test.each(deletion)('%s', (_sentence, world, expected) => {
  expect(plan(world)).toMatchObject(expected);
});

const onLostNode = (message: string) =>
  anInstance({
    status: {
      ...running,
      phase: 'Unknown',
      conditions: [{type: 'Ready', status: 'False', reason: 'NodeUnresponsive', message}],
    },
  });
const toldOfIt = (message: string) =>
  aMachine({status: {conditions: [{type: 'Ready', status: 'False', reason: 'NodeUnresponsive', message}]}});

describe('a machine whose run is on a node that is not heard of', () => {
  test('has it in an event of its own, once for each thing that is said of it', () => {
    expect(plan({vmi: onLostNode('a')}).events).toEqual([{type: 'Warning', reason: 'NodeUnresponsive', message: 'a'}]);
    expect(plan({vm: toldOfIt('a'), vmi: onLostNode('a')}).events).toEqual([]);
    expect(plan({vm: toldOfIt('a'), vmi: onLostNode('b')}).events).toHaveLength(1);
  });

  test.each(['Always', 'RerunOnFailure', 'Once', 'Manual', 'Halted'] as const)(
    'is not run elsewhere under %s',
    runStrategy => {
      expect(plan({vm: aMachine({spec: {runStrategy}}), vmi: onLostNode('a')}).create).toBeUndefined();
    },
  );
});
