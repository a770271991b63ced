/** The guest's clock and what ticks in it. */
import {boolean, enumeration, type Infer, integer, object, optional, string} from '../schema/index.ts';

const present = (what: string) => boolean(`Whether the guest has ${what}.`);

/** A clock cannot be missing from a machine. */
const always = (message: string) => ({rule: 'self', message});

const timer = object('What ticks in the guest.', {
  hpet: optional(
    object('High precision event timer. Off unless it is named here.', {
      present: optional(present('it. Defaults to true')),
      tickPolicy: optional(
        enumeration('What becomes of ticks that the guest missed: they come late.', ['', 'delay'], {}),
      ),
    }),
  ),
  pit: optional(
    object('The old interval timer.', {
      present: optional(present('it. Defaults to true')),
      tickPolicy: optional(
        enumeration('What becomes of ticks that the guest missed: they come late, or never. With KVM only.', [
          '',
          'delay',
          'discard',
        ]),
      ),
    }),
  ),
  rtc: optional(
    object('The clock that runs while the machine is off.', {
      present: optional(
        boolean('Every machine has one.', {
          rules: [always('every machine has a real-time clock: remove present, or set it to true')],
        }),
      ),
      tickPolicy: optional(
        enumeration(
          'What becomes of ticks that the guest missed: they come late, or are made up for in haste. Defaults to catchup.',
          ['', 'delay', 'catchup'],
        ),
      ),
      track: optional(
        enumeration('Whether it follows the clock of the node, or stands still with the guest. Defaults to wall.', [
          '',
          'wall',
          'guest',
        ]),
      ),
    }),
  ),
  kvm: optional(object("KVM's own clock.", {present: optional(present('it, where KVM runs it. Defaults to true'))})),
  hyperv: optional(
    object("Hyper-V's reference clock, for Windows.", {
      present: optional(present('it, where KVM runs it. Defaults to true')),
    }),
  ),
});
export type Timers = Infer<typeof timer>;

export const clock = object(
  'The clock of the machine. Defaults to UTC.',
  {
    utc: optional(
      object('The clock is UTC.', {
        offsetSeconds: optional(
          integer('Seconds by which the clock is ahead of it.', {minimum: -2_147_483_648, maximum: 2_147_483_647}),
        ),
      }),
    ),
    timezone: optional(
      string('The clock is the local time of this zone, as America/New_York, at the moment of the start.', {
        maxLength: 64,
        pattern: '^[A-Za-z0-9_+/-]*$',
      }),
    ),
    timer: optional(timer),
  },
  {
    rules: [
      {
        rule: "!has(self.utc) || self.?timezone.orValue('') == ''",
        message: 'utc and timezone exclude each other: remove one',
        fieldPath: '.timezone',
      },
    ],
  },
);
export type Clock = Infer<typeof clock>;
