/** Small devices that few guests have. */
import type {MachineDevices} from '../../machine/devices.ts';
import {type Args, json} from './args.ts';
import {PANIC_FUNCTION, platformAddress, SOUND_FUNCTION, WATCHDOG_FUNCTION} from './pci.ts';

/** Nobody hears it yet: the card plays into nothing, in time. */
const soundArgs = (model: 'ich9' | 'ac97'): Args => [
  '-audiodev',
  'none,id=audio0',
  ...(model === 'ac97'
    ? json('-device', {driver: 'AC97', id: 'sound0', audiodev: 'audio0', ...platformAddress(SOUND_FUNCTION)})
    : [
        ...json('-device', {driver: 'ich9-intel-hda', id: 'sound0', ...platformAddress(SOUND_FUNCTION)}),
        ...json('-device', {driver: 'hda-duplex', id: 'sound0-codec', bus: 'sound0.0', audiodev: 'audio0'}),
      ]),
];

export const peripheralArgs = ({watchdog, sound, pciPanic}: MachineDevices): Args => [
  ...(watchdog === undefined
    ? []
    : json('-device', {driver: 'i6300esb', id: 'watchdog0', ...platformAddress(WATCHDOG_FUNCTION)})),
  ...(sound === undefined ? [] : soundArgs(sound)),
  ...(pciPanic ? json('-device', {driver: 'pvpanic-pci', id: 'panic1', ...platformAddress(PANIC_FUNCTION)}) : []),
];
