/** Where QEMU finds the bytes of a disk, and how they come to be there. */
import {emptyDiskPath, type FileStep, overlayPath, seedPath} from '@wherry/api';
import type {MachineDisk} from '../../machine/disks.ts';
import {deviceDescriptor} from '../plan-parts.ts';
import {type Args, descriptor} from './args.ts';

export interface Image {
  readonly driver: 'file' | 'host_device';
  readonly path: string;
  /** Always said: QEMU never guesses one from guest data. */
  readonly format: 'raw' | 'qcow2';
  /** Undefined where it is there already. */
  readonly step?: FileStep;
  /** The device below an overlay, which is only read. */
  readonly backing?: string;
}

/** Sets of descriptors from here on are disks'. */
const FIRST_SET = 16;

const setOf = (index: number): number => FIRST_SET + index;

/** A device comes as a descriptor, for the pod may not open it; QEMU finds it in a set of its own. */
export const deviceSet = (disk: MachineDisk, index: number): Args => {
  const name = deviceDescriptor(disk, index);
  return name === undefined ? [] : ['-add-fd', `fd=${descriptor(name)},set=${setOf(index)},opaque=${name}`];
};

/** `index`: place of the disk in the machine. */
export const imageOf = ({name, source}: MachineDisk, index: number): Image => {
  switch (source.from) {
    case 'image': {
      const path = overlayPath(name);
      return overlay(path, {make: 'overlay', path, backing: source.backing});
    }
    case 'ephemeral': {
      const path = overlayPath(name);
      return overlay(path, {make: 'overlay', path, backing: source.backing, format: 'raw'});
    }
    case 'ephemeralDevice': {
      const path = overlayPath(name);
      // It has no backing file of its own: the device has a number here, and another one at the next start.
      return {...overlay(path, {make: 'qcow2', path, bytes: source.bytes}), backing: `/dev/fdset/${setOf(index)}`};
    }
    case 'device':
      return {driver: 'host_device', path: `/dev/fdset/${setOf(index)}`, format: 'raw'};
    case 'claim': {
      const {path, bytes} = source;
      return {
        driver: 'file',
        path,
        format: 'raw',
        ...(source.readOnly === true ? {} : {step: {make: 'raw', path, bytes}}),
      };
    }
    case 'empty': {
      const path = emptyDiskPath(name);
      return overlay(path, {make: 'qcow2', path, bytes: source.bytes});
    }
    case 'seed': {
      const path = seedPath(name);
      const {from: _, ...content} = source;
      return {driver: 'file', path, format: 'raw', step: {make: 'iso', path, ...content}};
    }
  }
};

const overlay = (path: string, step: FileStep): Image => ({driver: 'file', path, format: 'qcow2', step});
