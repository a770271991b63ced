import {expect, test} from '@jest/globals';
import {afterEvent, connected, type LauncherView, pauseDueMs, settledPause} from './launcher-view.ts';

const view = connected(
  {protocol: 1, version: 'test', uid: 'u', state: 'Running', lastSeq: 0},
  {state: 'Running', lastSeq: 0, leases: []},
  true,
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
  expect(paused).toMatchObject({paused: 'user'});
  expect(after(paused, 'STOP')).toBe(paused);
});

test('a stop is the engine’s own where a disk failed before, and somebody’s wish after that again', () => {
  const failed = after(view, 'BLOCK_IO_ERROR', {device: 'd', action: 'stop'});
  expect(after(failed, 'STOP')).toMatchObject({paused: 'ioError'});
  const resumed = after(after(failed, 'STOP'), 'RESUME');
  expect(after(resumed, 'STOP')).toMatchObject({paused: 'user'});
  expect(after(view, 'BLOCK_IO_ERROR', {device: 'd', action: 'report'})).toBe(view);
  expect(after(view, 'BLOCK_IO_ERROR')).toBe(view);
});

test('a guest that was started paused is known by the launcher’s word for it', () => {
  const starting = {...view, state: 'Starting'} as const;
  const waiting = afterEvent(starting, {type: 'state', state: 'Running', reason: 'Paused'});
  expect(waiting).toMatchObject({state: 'Running', paused: 'user'});
  expect(after(waiting, 'RESUME')).toMatchObject({paused: undefined});
  expect(afterEvent(starting, {type: 'state', state: 'Running'})).toMatchObject({paused: undefined});
});

test('a pause counts at once, and its end once the pause is a second old', () => {
  const running = settledPause(undefined, undefined, 0);
  const paused = settledPause(running, 'user', 5000);
  expect(paused).toEqual({paused: 'user', since: 5000});
  expect(settledPause(paused, undefined, 5999)).toBe(paused);
  expect(pauseDueMs(paused, undefined, 5400)).toBe(600);
  expect(pauseDueMs(paused, 'user', 5400)).toBeUndefined();
  expect(settledPause(paused, undefined, 6000)).toEqual({paused: undefined, since: 6000});
});

test('no launcher becomes idle again', () => {
  expect(afterEvent(view, {type: 'state', state: 'Idle'})).toBe(view);
  expect(afterEvent(view, {type: 'state', state: 'Stopping'})).toMatchObject({state: 'Stopping'});
});
