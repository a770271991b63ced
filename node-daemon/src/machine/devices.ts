/** Devices of the machine that are neither disks nor interfaces. */
import {type EffectiveInput, type EffectiveSpec, inputsOf, videoType, type VideoType} from '@wherry/api';

export interface MachineDevices {
  readonly balloon: boolean;
  readonly serialConsole: boolean;
  /** The graphics card, where there is one. */
  readonly video?: VideoType;
  readonly inputs: readonly EffectiveInput[];
  /** What the watchdog does, where there is one. */
  readonly watchdog?: WatchdogAction;
  readonly sound?: 'ich9' | 'ac97';
  /** A device on PCI by which the guest reports a panic, beside the one that every guest has. */
  readonly pciPanic: boolean;
}

export type WatchdogAction = 'reset' | 'shutdown' | 'poweroff';

export const devicesOf = (domain: EffectiveSpec['domain']): MachineDevices => {
  const {devices} = domain;
  const video = videoType(domain);
  return {
    balloon: devices.autoattachMemBalloon !== false,
    serialConsole: devices.autoattachSerialConsole !== false,
    ...(video === undefined ? {} : {video}),
    inputs: inputsOf(devices),
    ...(devices.watchdog === undefined ? {} : {watchdog: actionOf(devices.watchdog)}),
    ...(devices.sound === undefined ? {} : {sound: devices.sound.model === 'ac97' ? 'ac97' : 'ich9'}),
    pciPanic: (devices.panicDevices ?? []).some(({model}) => model === 'pvpanic'),
  };
};

const actionOf = ({i6300esb}: NonNullable<EffectiveSpec['domain']['devices']['watchdog']>): WatchdogAction =>
  i6300esb?.action === 'poweroff' || i6300esb?.action === 'shutdown' ? i6300esb.action : 'reset';
