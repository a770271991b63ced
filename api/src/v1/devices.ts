/** Devices of the guest. */
import {boolean, listMap, marker, object, optional} from '../schema/index.ts';
import {disk} from './disk.ts';
import {guestInterface} from './network.ts';

export const devices = object('Devices of the guest.', {
  disks: optional(
    listMap('Disks, in boot order. A volume without one gets a virtio disk.', disk, {keys: ['name'], maxItems: 256}),
  ),
  interfaces: optional(
    listMap('Network interfaces. Defaults to one with masquerade on the network of the pod.', guestInterface, {
      keys: ['name'],
      maxItems: 32,
    }),
  ),
  rng: optional(marker('A source of randomness. Every guest has one, with or without this.')),
  autoattachPodInterface: optional(
    boolean('Whether a guest without interfaces and networks gets the default one. Defaults to true.'),
  ),
});
