import {expect, test} from '@jest/globals';
import {afterEvent, connected, type LauncherView, pauseDueMs, settledPause} from './launcher-view.ts';

const view = connected(
  {protocol: 1, version: 'test', uid: 'u', state: 'Running', lastSeq: 0},
  {state: 'Running', lastSeq: 0, leases: []},
);
const after = (from: LauncherView, event: string, data?: object): LauncherView =>
  afterEvent(from, {type: 'engine', qmp: data === undefined ? {event} : {event, data}});

test('only the agent’s own port tells of the agent', () => {
  const open = after(view, 'VSERPORT_CHANGE', {open: true, id: 'agent-port'});
  expect(open).toMatchObject({agent: true});
  expect(after(view, 'VSERPORT_CHANGE', {open: true, id: 'other-port'})).toBe(view);
  expect(after(open, 'VSERPORT_CHANGE', {open: false, id: 'other-port'})).toBe(open);
  expect(after(open, 'VSERPORT_CHANGE', {open: false, id: 'agent-port'})).toMatchObject({agent: false});
});

test('an event that says what is known already changes nothing', () => {
  expect(after(view, 'RESUME')).toBe(view);
  const paused = after(view, 'STOP');
  expect(paused).toMatchObject({paused: true});
  expect(after(paused, 'STOP')).toBe(paused);
});

test('a pause counts at once, and its end once the pause is a second old', () => {
  const running = settledPause(undefined, false, 0);
  const paused = settledPause(running, true, 5000);
  expect(paused).toEqual({paused: true, since: 5000});
  expect(settledPause(paused, false, 5999)).toBe(paused);
  expect(pauseDueMs(paused, false, 5400)).toBe(600);
  expect(pauseDueMs(paused, true, 5400)).toBeUndefined();
  expect(settledPause(paused, false, 6000)).toEqual({paused: false, since: 6000});
});
