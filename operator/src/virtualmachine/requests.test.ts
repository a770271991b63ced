import type {StateChangeRequest} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {anInstance, running} from '../testing/fixtures.ts';
import {type Asked, isPaused, openRequests} from './requests.ts';

const start: StateChangeRequest = {action: 'Start'};
const stop: StateChangeRequest = {action: 'Stop', uid: 'vmi-uid'};
const alive = anInstance({status: running});
const dying = anInstance({metadata: {deletionTimestamp: '2026-01-01T00:00:00Z'}, status: running});
const ended = anInstance({status: {...running, phase: 'Succeeded'}});

const open = (requests: readonly StateChangeRequest[], overrides: Partial<Asked> = {}) =>
  openRequests({requests, strategy: 'Manual', startedUnder: 'Manual', run: undefined, told: true, ...overrides});

const table: [sentence: string, requests: StateChangeRequest[], Partial<Asked>, left: StateChangeRequest[]][] = [
  ['a start is open until there is a run', [start], {}, [start]],
  ['a start is done with a run that lives', [start], {run: alive}, []],
  ['a start waits for a run that is going', [start], {run: dying}, [start]],
  ['a start that was asked for after the end is open', [start], {run: ended}, [start]],
  ['a start whose run ended before the status told of it is done', [start], {run: ended, told: false}, []],
  ['a stop is open while its run lives', [stop], {run: alive}, [stop]],
  ['a stop is open while its run goes', [stop], {run: dying}, [stop]],
  ['a stop is done without a run', [stop], {}, []],
  ['a stop of another run is none', [{...stop, uid: 'old'}], {run: alive}, []],
  ['a stop that names no run is none', [{action: 'Stop'}], {run: alive}, []],
  ['a restart stops first', [stop, start], {run: alive}, [stop, start]],
  ['a restart then starts', [stop, start], {}, [start]],
  ['a restart leaves nothing', [stop, start], {run: anInstance({metadata: {uid: 'next'}, status: running})}, []],
  ['Once is not started by a request', [start], {strategy: 'Once', startedUnder: 'Once'}, []],
  ['Once is stopped by a request', [stop, start], {strategy: 'Once', startedUnder: 'Once', run: alive}, [stop]],
  ['halting a machine takes back what was asked', [start], {strategy: 'Halted', startedUnder: 'RerunOnFailure'}, []],
  ['a start that is asked of a halted machine is open', [start], {strategy: 'Halted', startedUnder: 'Halted'}, [start]],
];

test.each(table)('%s', (_sentence, requests, overrides, left) => {
  expect(open(requests, overrides)).toEqual(left);
});

test('a start may be asked for paused', () => {
  expect(isPaused({action: 'Start', data: {paused: 'true'}})).toBe(true);
  expect([undefined, start, {action: 'Start' as const, data: {paused: 'false'}}].map(isPaused)).toEqual([
    false,
    false,
    false,
  ]);
});
