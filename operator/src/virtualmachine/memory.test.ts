import type {MachineStatus, RunStrategy} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {aMachine, anInstance, running} from '../testing/fixtures.ts';
import {aMachineWorld, now} from '../testing/worlds.ts';
import {nextMemory} from './memory.ts';
import type {Instance} from '../objects.ts';

const deletionTimestamp = '2026-01-01T00:00:00Z';
const remember = (runStrategy: RunStrategy, status: MachineStatus, run: Instance | undefined) =>
  nextMemory(aMachineWorld({vm: aMachine({spec: {runStrategy}, status}), vmi: run}), run, now, () => 0);
const alive = anInstance({status: running});
const dying = anInstance({metadata: {deletionTimestamp}, status: running});
const failed = anInstance({status: {...running, phase: 'Failed'}});
const owed = {stateChangeRequests: [{action: 'Start' as const}]};

const strategies: [sentence: string, RunStrategy, MachineStatus, Instance | undefined, RunStrategy | undefined][] = [
  ['Halted is carried out at once', 'Halted', {runStrategy: 'Always'}, alive, 'Halted'],
  ['Always is carried out at once', 'Always', {}, undefined, 'Always'],
  ['RerunOnFailure counts as started with a run that lives', 'RerunOnFailure', {}, alive, 'RerunOnFailure'],
  ['it does not with a run that is on its way out', 'RerunOnFailure', {runStrategy: 'Halted'}, dying, 'Halted'],
  ['it does not without a run', 'RerunOnFailure', {runStrategy: 'Halted'}, undefined, 'Halted'],
  [
    'it stays started when its run is gone',
    'RerunOnFailure',
    {runStrategy: 'RerunOnFailure'},
    undefined,
    'RerunOnFailure',
  ],
  ['Once counts as started with a run', 'Once', {runStrategy: 'Halted'}, alive, 'Once'],
  ['Once counts as started with a run that ended: it is kept', 'Once', {}, failed, 'Once'],
  [
    'Once does not count as started with a run that is on its way out',
    'Once',
    {runStrategy: 'Always'},
    dying,
    'Always',
  ],
];

test.each(strategies)('%s', (_sentence, strategy, status, run, expected) => {
  expect(remember(strategy, status, run).runStrategy).toBe(expected);
});

test('a failed guest under RerunOnFailure is owed a start', () => {
  expect(remember('RerunOnFailure', {}, failed).stateChangeRequests).toEqual([{action: 'Start'}]);
});

test('the debt stands while the failed run goes, and is paid by the next one', () => {
  expect(remember('RerunOnFailure', owed, undefined).stateChangeRequests).toHaveLength(1);
  expect(remember('RerunOnFailure', owed, alive).stateChangeRequests).toBeUndefined();
});

test('a run that somebody deleted is owed nothing, however it ended', () => {
  const ended = anInstance({metadata: {deletionTimestamp}, status: {...running, phase: 'Failed'}});
  expect(remember('RerunOnFailure', {}, ended).stateChangeRequests).toBeUndefined();
});

test('no other strategy owes starts', () => {
  expect(remember('Always', {}, failed).stateChangeRequests).toBeUndefined();
  expect(remember('Manual', {}, failed).stateChangeRequests).toBeUndefined();
  expect(remember('Halted', {...owed, runStrategy: 'RerunOnFailure'}, undefined).stateChangeRequests).toBeUndefined();
});

test('what is asked is remembered until it is done', () => {
  const restart = [{action: 'Stop' as const, uid: 'vmi-uid'}, {action: 'Start' as const}];
  const asked = {stateChangeRequests: restart, created: true};
  expect(remember('Manual', asked, alive).stateChangeRequests).toEqual(restart);
  expect(remember('Manual', asked, dying).stateChangeRequests).toEqual(restart);
  expect(remember('Manual', asked, undefined).stateChangeRequests).toEqual([{action: 'Start'}]);
  const next = anInstance({metadata: {uid: 'next'}, status: running});
  expect(remember('Manual', asked, next).stateChangeRequests).toBeUndefined();
});

test('a machine that is deleted forgets what was asked of it', () => {
  const vm = aMachine({metadata: {deletionTimestamp}, spec: {runStrategy: 'Manual'}, status: owed});
  expect(nextMemory(aMachineWorld({vm}), undefined, now, () => 0).stateChangeRequests).toBeUndefined();
});

test('a guest that powers itself off before it ran is held back where it would be started again without end', () => {
  const early = anInstance({status: {phase: 'Succeeded'}});
  expect(remember('Always', {}, early).startFailure).toMatchObject({consecutiveFailCount: 1});
  expect(remember('RerunOnFailure', {}, early).startFailure).toBeUndefined();
});

test('halting a machine forgets its failed starts', () => {
  const startFailure = {consecutiveFailCount: 3, lastFailedVMIUID: 'x'};
  expect(remember('Halted', {startFailure}, undefined).startFailure).toBeUndefined();
  expect(remember('Manual', {startFailure}, undefined).startFailure).toBeUndefined();
  expect(remember('Always', {startFailure}, undefined).startFailure).toEqual(startFailure);
});

test('a run that was deleted before it ran did not fail to start', () => {
  const run = anInstance({metadata: {deletionTimestamp}, status: {phase: 'Failed'}});
  expect(remember('Always', {}, run).startFailure).toBeUndefined();
});
