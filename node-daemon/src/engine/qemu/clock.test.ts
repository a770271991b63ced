import {expect, test} from '@jest/globals';
import type {Clock} from '@wherry/api';
import {clockOf} from '../../machine/clock.ts';
import {optionsOf} from '../../testing/arguments.ts';

const summer = Date.UTC(2026, 6, 1, 12, 0, 0);
const winter = Date.UTC(2026, 0, 1, 12, 0, 0);
const rtc = (clock: Clock | undefined, now = summer) => optionsOf({clock: clockOf(clock)}, '-rtc', now)[0];

test.each<[string, Clock | undefined, string]>([
  ['nothing', undefined, 'base=utc,driftfix=slew'],
  ['UTC', {utc: {}}, 'base=utc,driftfix=slew'],
  ['the zone UTC', {timezone: 'UTC'}, 'base=utc,driftfix=slew'],
  ['an hour and a second ahead', {utc: {offsetSeconds: 3601}}, 'base=2026-07-01T13:00:01,driftfix=slew'],
  ['a day behind', {utc: {offsetSeconds: -86_400}}, 'base=2026-06-30T12:00:00,driftfix=slew'],
  ['a zone', {timezone: 'America/New_York'}, 'base=2026-07-01T08:00:00,driftfix=slew'],
  ['a zone of half hours', {timezone: 'Asia/Kolkata'}, 'base=2026-07-01T17:30:00,driftfix=slew'],
  ['ticks that may be late', {timer: {rtc: {tickPolicy: 'delay'}}}, 'base=utc,driftfix=none'],
  ['the time of the guest', {timer: {rtc: {track: 'guest'}}}, 'base=utc,clock=vm,driftfix=slew'],
])('a clock that asks for %s is set so', (_what, clock, expected) => {
  expect(rtc(clock)).toBe(expected);
});

test('a zone has the offset of the season in which the guest starts', () => {
  expect(rtc({timezone: 'Europe/Paris'}, winter)).toMatch('2026-01-01T13:00:00');
  expect(rtc({timezone: 'Europe/Paris'}, summer)).toMatch('2026-07-01T14:00:00');
});

test('a zone that nobody knows is refused', () => {
  expect(() => rtc({timezone: 'Mars/Olympus'})).toThrow(/clock.timezone Mars\/Olympus is unknown/);
});

test("KVM's interval timer may drop ticks; emulation has no such choice", () => {
  const clock = clockOf({timer: {pit: {tickPolicy: 'discard'}}});
  expect(optionsOf({clock, accelerator: 'kvm'}, '-global')).toContain('kvm-pit.lost_tick_policy=discard');
  expect(optionsOf({clock, accelerator: 'tcg'}, '-global').join(' ')).not.toContain('kvm-pit');
  const late = clockOf({timer: {pit: {tickPolicy: 'delay'}}});
  expect(optionsOf({clock: late, accelerator: 'kvm'}, '-global').join(' ')).not.toContain('kvm-pit');
});
