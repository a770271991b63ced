/** Devices of the machine that are neither disks nor interfaces. */
import {type EffectiveInput, type EffectiveSpec, inputsOf, videoType, type VideoType} from '@wherry/api';

export interface MachineDevices {
  readonly balloon: boolean;
  readonly serialConsole: boolean;
  /** The graphics card, where there is one. */
  readonly video?: VideoType;
  readonly inputs: readonly EffectiveInput[];
}

export const devicesOf = (devices: EffectiveSpec['domain']['devices']): MachineDevices => {
  const video = videoType(devices);
  return {
    balloon: devices.autoattachMemBalloon !== false,
    serialConsole: devices.autoattachSerialConsole !== false,
    ...(video === undefined ? {} : {video}),
    inputs: inputsOf(devices),
  };
};
