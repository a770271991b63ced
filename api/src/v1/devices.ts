/** Devices of the guest. */
import {boolean, type Infer, listMap, marker, object, optional} from '../schema/index.ts';
import {deviceRules} from './device-rules.ts';
import {disk} from './disk.ts';
import {input, video} from './graphics.ts';
import {guestInterface} from './network.ts';
import {panicDevices, sound, watchdog} from './peripherals.ts';

export const devices = object(
  'Devices of the guest.',
  {
    disks: optional(
      listMap('Disks, in boot order unless they have a bootOrder. A volume without one gets a virtio disk.', disk, {
        keys: ['name'],
        maxItems: 256,
      }),
    ),
    interfaces: optional(
      listMap('Network interfaces. Defaults to one with masquerade on the network of the pod.', guestInterface, {
        keys: ['name'],
        maxItems: 32,
        rules: [
          {
            rule: 'self.all(one, !has(one.acpiIndex) || one.acpiIndex == 0 || self.exists_one(other, has(other.acpiIndex) && other.acpiIndex == one.acpiIndex))',
            message: 'acpiIndex must be another one for each interface',
          },
        ],
      }),
    ),
    rng: optional(marker('A source of randomness. Every guest has one, with or without this.')),
    autoattachPodInterface: optional(
      boolean('Whether a guest without interfaces and networks gets the default one. Defaults to true.'),
    ),
    autoattachMemBalloon: optional(
      boolean(
        'Whether the guest has a balloon, by which it says how it uses its memory and gives back what it does not need. Defaults to true.',
      ),
    ),
    autoattachSerialConsole: optional(
      boolean('Whether the guest has a serial port, which is its console. Defaults to true.'),
    ),
    logSerialConsole: optional(
      boolean("Whether the serial console goes to the log of the guest's pod. Defaults to true."),
    ),
    autoattachGraphicsDevice: optional(
      boolean(
        'Whether the guest has a graphics card. Defaults to whether video says of which type: unlike in KubeVirt, a guest that asks for none has none, for nothing shows its screen yet.',
      ),
    ),
    video: optional(video),
    autoattachInputDevice: optional(
      boolean('Whether a guest without inputs has a tablet on its USB, as pointing device. Defaults to false.'),
    ),
    watchdog: optional(watchdog),
    sound: optional(sound),
    panicDevices: optional(panicDevices),
    blockMultiQueue: optional(
      boolean(
        'Whether each virtio disk has a queue for each vCPU. It has, with or without this: that is what its driver wants.',
      ),
    ),
    inputs: optional(
      listMap('Pointing devices. A keyboard (PS/2) every guest has.', input, {keys: ['name'], maxItems: 15}),
    ),
  },
  {
    rules: [
      ...deviceRules,
      {
        rule: '!has(self.video) || !has(self.video.type) || self.?autoattachGraphicsDevice.orValue(true)',
        message:
          'must not say of which type the graphics card is where autoattachGraphicsDevice is false: remove one of the two',
        fieldPath: '.video',
      },
    ],
  },
);
export type Devices = Infer<typeof devices>;
