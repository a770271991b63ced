import {expect, test} from '@jest/globals';
import type {InstanceStatus} from '@wherry/api';
import {instance, type InstanceOverrides, UID} from '../testing/instances.ts';
import {decide} from './decide.ts';
import type {Connected, LauncherView} from './launcher-view.ts';

const NOW = 1_000_000;

const launcher = (overrides: Partial<Connected> = {}): LauncherView => ({
  at: 'connected',
  protocol: 2,
  uid: UID,
  state: 'Idle',
  planned: false,
  paused: undefined,
  diskFailed: false,
  panicked: false,
  agent: false,
  ending: undefined,
  ...overrides,
});

const gone = (since: number): LauncherView => ({at: 'gone', why: 'EngineExited', since, message: 'm'});

const vmi = (status: InstanceStatus, metadata: InstanceOverrides['metadata'] = {}) => instance({metadata, status});
const scheduled = vmi({phase: 'Scheduled'});
const running = vmi({phase: 'Running'});
const engineActive = (status: 'True' | 'False') => ({type: 'wherry.dev/EngineActive', status});

const table: [string, Omit<Parameters<typeof decide>[0], 'ioRetryDue'> & {ioRetryDue?: true}, object][] = [
  ['a guest that was handed over is started', {vmi: scheduled, podUid: 'p', launcher: launcher()}, {do: 'start'}],
  [
    'a guest whose launcher has taken the plan and denies it is not handed over again',
    {vmi: scheduled, podUid: 'p', launcher: launcher({planned: true})},
    {do: 'complain', message: 'the launcher of the guest took its plan, and says now that it has none'},
  ],
  [
    'a launcher that does not listen yet is looked for again soon',
    {vmi: scheduled, podUid: 'p', launcher: {at: 'silent'}},
    {do: 'wait', afterMs: 100},
  ],
  [
    'a launcher that has fallen silent is looked for again, but not all the time',
    {vmi: running, podUid: 'p', launcher: {at: 'silent'}},
    {do: 'wait', afterMs: 1000},
  ],
  [
    'a guest that is being made is waited for',
    {vmi: scheduled, podUid: 'p', launcher: launcher({state: 'Preparing'})},
    {do: 'wait', afterMs: 2000},
  ],
  [
    'a guest that runs is reported',
    {vmi: scheduled, podUid: 'p', launcher: launcher({state: 'Running'})},
    {do: 'reportRunning'},
  ],
  [
    'a guest that runs and is to be paused is told so before it is reported',
    {
      vmi: vmi({phase: 'Running'}, {annotations: {'wherry.dev/paused': 'true'}}),
      podUid: 'p',
      launcher: launcher({state: 'Running'}),
    },
    {do: 'reportRunning', command: 'pause'},
  ],
  [
    'a guest that shuts down is not paused',
    {
      vmi: vmi({phase: 'Running'}, {annotations: {'wherry.dev/paused': 'true'}}),
      podUid: 'p',
      launcher: launcher({state: 'Stopping'}),
    },
    {do: 'wait'},
  ],
  [
    'a guest that ran before the daemon did is adopted, not started',
    {vmi: running, podUid: 'p', launcher: launcher({state: 'Running'})},
    {do: 'reportRunning'},
  ],
  [
    'a guest that shuts down is left alone',
    {vmi: running, podUid: 'p', launcher: launcher({state: 'Stopping'})},
    {do: 'wait'},
  ],
  [
    'an instance that is being deleted gets no engine',
    {vmi: vmi({phase: 'Scheduled'}, {deletionTimestamp: 't'}), podUid: 'p', launcher: launcher()},
    {do: 'wait'},
  ],
  [
    'a guest that was running is not started a second time',
    {vmi: running, podUid: 'p', launcher: launcher()},
    expect.objectContaining({do: 'complain'}),
  ],
  [
    'a launcher of another run gets no plan',
    {vmi: scheduled, podUid: 'p', launcher: launcher({uid: 'other'})},
    expect.objectContaining({do: 'complain'}),
  ],
  [
    'a dead launcher is left to the operator for a second',
    {vmi: running, podUid: 'p', launcher: gone(NOW - 400)},
    {do: 'wait', afterMs: 600},
  ],
  [
    'a dead launcher that the operator does not see is reported',
    {vmi: running, podUid: 'p', launcher: gone(NOW - 1000)},
    {do: 'reportGone', why: 'EngineExited', message: 'm'},
  ],
  [
    'a guest that a failed disk stopped is left alone',
    {vmi: running, podUid: 'p', launcher: launcher({state: 'Running', paused: 'ioError'})},
    {do: 'reportRunning'},
  ],
  [
    'a guest that a failed disk stopped is let run on when a try is due',
    {vmi: running, podUid: 'p', launcher: launcher({state: 'Running', paused: 'ioError'}), ioRetryDue: true},
    {do: 'reportRunning', command: 'resume'},
  ],
  [
    'a launcher that died before it was given a plan is reported too',
    {vmi: scheduled, podUid: 'p', launcher: gone(NOW - 1000)},
    {do: 'reportGone', why: 'EngineExited', message: 'm'},
  ],
  [
    'a run whose engine was said to be gone is never started again',
    {vmi: vmi({phase: 'Scheduled', conditions: [engineActive('False')]}), podUid: 'p', launcher: launcher()},
    {do: 'forget'},
  ],
  ['a finished run is forgotten', {vmi: vmi({phase: 'Failed'}), podUid: 'p', launcher: launcher()}, {do: 'forget'}],
  ['a deleted instance is forgotten', {vmi: undefined, podUid: undefined, launcher: launcher()}, {do: 'forget'}],
  [
    'a run without a pod on this node is not ours',
    {vmi: scheduled, podUid: undefined, launcher: launcher()},
    {do: 'wait'},
  ],
];

test.each(table)('%s', (_sentence, world, step) => {
  expect(decide({ioRetryDue: false, ...world}, NOW)).toEqual(step);
});
