import {emptyDiskPath, type FileStep, overlayPath, seedPath} from '@wherry/api';
import type {MachineDisk} from '../../machine/disks.ts';

export interface Image {
  readonly path: string;
  readonly format: 'raw' | 'qcow2';
  readonly step: FileStep;
}

/** The file behind a disk, and how it comes to be. Formats are always said: QEMU never guesses one from guest data. */
export const imageOf = ({name, source}: MachineDisk): Image => {
  switch (source.from) {
    case 'image': {
      const path = overlayPath(name);
      return {path, format: 'qcow2', step: {make: 'overlay', path, backing: source.backing}};
    }
    case 'claim':
      return {path: source.path, format: 'raw', step: {make: 'raw', path: source.path, bytes: source.bytes}};
    case 'empty': {
      const path = emptyDiskPath(name);
      return {path, format: 'qcow2', step: {make: 'qcow2', path, bytes: source.bytes}};
    }
    case 'seed': {
      const path = seedPath(name);
      return {path, format: 'raw', step: {make: 'iso', path, label: source.label, entries: source.entries}};
    }
  }
};
