/** What a person at the guest would look at and hold in the hand. */
import {enumeration, object, optional, string} from '../schema/index.ts';

export const videoTypes = ['vga', 'cirrus', 'bochs', 'virtio', 'ramfb'] as const;
export type VideoType = (typeof videoTypes)[number];

export const video = object('The graphics card of the guest.', {
  type: optional(
    enumeration(
      'What the card is: vga, which every operating system knows; cirrus for very old ones; bochs and ramfb for those that start by UEFI; virtio for those with its driver. Where there is a card it defaults to vga, and to bochs for a guest that starts by UEFI.',
      videoTypes,
    ),
  ),
});

export const inputBuses = ['usb', 'virtio'] as const;
export type InputBus = (typeof inputBuses)[number];

export const input = object('A pointing device.', {
  name: string('Name of the device.', {minLength: 1, maxLength: 63}),
  type: string('What it is: tablet, which points to a place of the screen. Empty means the same.', {
    maxLength: 63,
    rules: [{rule: "self in ['', 'tablet']", message: 'must be tablet: a keyboard every guest has already'}],
  }),
  bus: optional(
    string('What it hangs on: usb or virtio. Defaults to usb.', {
      maxLength: 63,
      rules: [{rule: "self in ['', 'usb', 'virtio']", message: 'must be usb or virtio'}],
    }),
  ),
});
