import {expect, test} from '@jest/globals';
import {decideRun, type Intent, runStrategyOf, type RunView, type StrategyView} from './run-strategy.ts';

const now = 1_000_000;
const running: RunView = {ending: 'no', deleting: false};
const succeeded: RunView = {ending: 'Succeeded', deleting: false};
const failed: RunView = {ending: 'Failed', deleting: false};

const view = (overrides: Partial<StrategyView>): StrategyView => ({
  strategy: 'Always',
  startedUnder: undefined,
  request: undefined,
  deleting: false,
  run: undefined,
  retryAt: undefined,
  ...overrides,
});

const table: [sentence: string, view: Partial<StrategyView>, intent: Intent['do']][] = [
  ['Always starts a machine that has no run', {strategy: 'Always'}, 'start'],
  ['Always leaves a running guest alone', {strategy: 'Always', run: running}, 'nothing'],
  ['Always clears a run that succeeded away', {strategy: 'Always', run: succeeded}, 'stop'],
  ['Always clears a run that failed away', {strategy: 'Always', run: failed}, 'stop'],
  ['Always starts again after any number of runs', {strategy: 'Always', startedUnder: 'Always'}, 'start'],
  ['Halted starts nothing', {strategy: 'Halted'}, 'nothing'],
  ['Halted becomes Always when a start is asked for', {strategy: 'Halted', request: 'Start'}, 'set Always'],
  ['Halted first stops what runs', {strategy: 'Halted', request: 'Start', run: running}, 'stop'],
  ['Halted stops a running guest', {strategy: 'Halted', run: running}, 'stop'],
  ['Halted clears an ended run away', {strategy: 'Halted', run: failed}, 'stop'],
  ['RerunOnFailure starts a new machine', {strategy: 'RerunOnFailure'}, 'start'],
  ['RerunOnFailure starts a machine that was halted', {strategy: 'RerunOnFailure', startedUnder: 'Halted'}, 'start'],
  ['RerunOnFailure leaves a running guest alone', {strategy: 'RerunOnFailure', run: running}, 'nothing'],
  [
    'RerunOnFailure does not start again what it had started and what is gone',
    {strategy: 'RerunOnFailure', startedUnder: 'RerunOnFailure'},
    'nothing',
  ],
  [
    'RerunOnFailure starts again when a start is owed',
    {strategy: 'RerunOnFailure', startedUnder: 'RerunOnFailure', request: 'Start'},
    'start',
  ],
  ['RerunOnFailure clears a run that failed away', {strategy: 'RerunOnFailure', run: failed}, 'stop'],
  ['RerunOnFailure clears a run that succeeded away', {strategy: 'RerunOnFailure', run: succeeded}, 'stop'],
  ['Once starts a new machine', {strategy: 'Once'}, 'start'],
  ['Once starts a machine that was halted', {strategy: 'Once', startedUnder: 'Halted'}, 'start'],
  ['Once leaves a running guest alone', {strategy: 'Once', run: running}, 'nothing'],
  ['Once keeps a run that succeeded', {strategy: 'Once', startedUnder: 'Once', run: succeeded}, 'nothing'],
  ['Once keeps a run that failed', {strategy: 'Once', startedUnder: 'Once', run: failed}, 'nothing'],
  ['Once never starts a second time', {strategy: 'Once', startedUnder: 'Once'}, 'nothing'],
  ['Manual starts nothing by itself', {strategy: 'Manual', startedUnder: 'Always'}, 'nothing'],
  ['Manual starts when it is asked to', {strategy: 'Manual', request: 'Start'}, 'start'],
  ['Manual leaves a running guest alone', {strategy: 'Manual', run: running}, 'nothing'],
  ['Manual stops when it is asked to', {strategy: 'Manual', request: 'Stop', run: running}, 'stop'],
  ['Manual keeps a run that succeeded', {strategy: 'Manual', run: succeeded}, 'nothing'],
  ['Manual starts no failed guest again', {strategy: 'Manual', run: failed}, 'nothing'],
  ['Manual clears an ended run away for a start', {strategy: 'Manual', request: 'Start', run: succeeded}, 'stop'],
  ['Always stops a guest that is to be restarted', {request: 'Stop', run: running}, 'stop'],
  ['RerunOnFailure stops when it is asked to', {strategy: 'RerunOnFailure', request: 'Stop', run: running}, 'stop'],
  ['Once stops when it is asked to', {strategy: 'Once', startedUnder: 'Once', request: 'Stop', run: running}, 'stop'],
  ['a halted machine under deletion is not started', {deleting: true, strategy: 'Halted', request: 'Start'}, 'nothing'],
  ['a machine under deletion starts nothing', {deleting: true}, 'nothing'],
  ['a machine under deletion stops its guest', {deleting: true, run: running}, 'stop'],
  ['a machine under deletion clears a kept run away', {deleting: true, strategy: 'Once', run: succeeded}, 'stop'],
  ['a run that is being deleted is waited for', {run: {...running, deleting: true}}, 'nothing'],
  [
    'a run that is being deleted is not stopped twice',
    {strategy: 'Halted', run: {...running, deleting: true}},
    'nothing',
  ],
];

test.each(table)('%s', (_sentence, overrides, intent) => {
  expect(decideRun(view(overrides), now).do).toBe(intent);
});

test('a crash-looping guest is started when its time has come, and not before', () => {
  expect(decideRun(view({retryAt: now + 700}), now)).toEqual({do: 'start later', afterMs: 700});
  expect(decideRun(view({retryAt: now}), now)).toEqual({do: 'start'});
});

test.each([
  [{runStrategy: 'Once'} as const, 'Once'],
  [{running: true}, 'Always'],
  [{running: false}, 'Halted'],
  [{}, 'Halted'],
])('%j means %s', (spec, strategy) => {
  expect(runStrategyOf(spec)).toBe(strategy);
});
