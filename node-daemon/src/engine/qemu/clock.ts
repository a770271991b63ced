/** The guest's clock. */
import {zoneOffsetSeconds} from '@wherry/api';
import {unsupportedMachine} from '../../errors.ts';
import type {MachineClock} from '../../machine/clock.ts';
import type {EffectiveMachine} from '../../machine/effective-machine.ts';
import type {Args} from './args.ts';

/**
 * QEMU counts on from the base that it is given, to the second.
 * @param now milliseconds since the epoch: what a zone is ahead of UTC depends on the season, and a guest keeps the
 *   offset of its start
 * @throws DaemonError UNSUPPORTED_MACHINE for a zone that nobody knows
 */
export const clockArgs = ({clock, accelerator}: EffectiveMachine, now: number): Args => [
  '-rtc',
  [
    `base=${base(clock, now)}`,
    ...(clock.timers.rtc?.track === 'guest' ? ['clock=vm'] : []),
    `driftfix=${drift(clock)}`,
  ].join(','),
  ...(accelerator === 'kvm' ? pitPolicy(clock) : []),
];

const base = (clock: MachineClock, now: number): string => {
  const seconds = secondsAhead(clock, now);
  return seconds === 0 ? 'utc' : new Date(now + seconds * 1000).toISOString().slice(0, 'YYYY-MM-DDThh:mm:ss'.length);
};

const secondsAhead = ({shows}: MachineClock, now: number): number => {
  if ('utcPlusSeconds' in shows) return shows.utcPlusSeconds;
  const seconds = zoneOffsetSeconds(shows.zone, now);
  if (seconds === undefined)
    throw unsupportedMachine(`clock.timezone ${shows.zone} is unknown: write one like Europe/Paris`);
  return seconds;
};

const drift = ({timers}: MachineClock): string => (timers.rtc?.tickPolicy === 'delay' ? 'none' : 'slew');

/** Only KVM's own interval timer has a choice, and delay is what it does by itself. */
const pitPolicy = ({timers}: MachineClock): Args =>
  timers.pit?.tickPolicy === 'discard' ? ['-global', 'kvm-pit.lost_tick_policy=discard'] : [];

/** Timers of the board, as options of the machine. */
export const boardTimers = ({timers}: MachineClock): {readonly hpet: 'on' | 'off'; readonly pit: boolean} => ({
  hpet: timers.hpet !== undefined && timers.hpet.present !== false ? 'on' : 'off',
  pit: timers.pit?.present !== false,
});
