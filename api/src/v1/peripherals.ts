/** Small devices: a watchdog, a sound card, what rings when the guest panics. */
import {list, object, optional, string} from '../schema/index.ts';

const name = (of: string) => string(`Name of the ${of}.`, {minLength: 1, maxLength: 63});

export const watchdog = object('A clock that acts when the guest does not feed it for a time, for then it hangs.', {
  name: name('watchdog'),
  i6300esb: optional(
    object('The watchdog of x86 machines. It is the default.', {
      action: optional(
        string(
          'What it does: reset the guest, shutdown by its power button, or poweroff at once, which ends the run as Failed. Defaults to reset.',
          {
            maxLength: 63,
            rules: [
              {rule: "self in ['', 'reset', 'shutdown', 'poweroff']", message: 'must be reset, shutdown or poweroff'},
            ],
          },
        ),
      ),
    }),
  ),
});

export const sound = object('A sound card. Nothing plays what it is given yet.', {
  name: name('sound card'),
  model: optional(
    string('What it is: ich9 or ac97. Defaults to ich9.', {
      maxLength: 63,
      rules: [{rule: "self in ['', 'ich9', 'ac97']", message: 'must be ich9 or ac97'}],
    }),
  ),
});

export const panicDevices = list(
  'Devices by which the guest reports a panic. One of the model isa every guest has, with or without this.',
  object('A device by which the guest reports a panic.', {
    model: optional(
      string('What it is: isa, or pvpanic for one on PCI. Defaults to isa.', {
        maxLength: 63,
        rules: [
          {
            rule: "self != 'hyperv'",
            message: 'hyperv is not supported: use isa or pvpanic',
            reason: 'FieldValueForbidden',
          },
          {rule: "self in ['', 'isa', 'pvpanic', 'hyperv']", message: 'must be isa or pvpanic'},
        ],
      }),
    ),
  }),
  {maxItems: 8},
);
