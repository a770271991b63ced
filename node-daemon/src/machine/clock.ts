/** The guest's clock and what ticks in it. */
import type {Clock, Timers} from '@wherry/api';

export interface MachineClock {
  /** What it shows: UTC with so many seconds added, or the local time of a zone. */
  readonly shows: {readonly utcPlusSeconds: number} | {readonly zone: string};
  readonly timers: Timers;
}

export const clockOf = ({utc, timezone = '', timer = {}}: Clock = {}): MachineClock => ({
  shows: timezone === '' ? {utcPlusSeconds: utc?.offsetSeconds ?? 0} : {zone: timezone},
  timers: timer,
});
