import {unsupportedMachine} from '../../errors.ts';
import {type Args, json} from './args.ts';

/** Free ports for devices that come later. */
const SPARE_PORTS = 4;
/** pcie.0 has 32 slots: the machine's own devices lie in 0, 1, 0x1e and 0x1f. */
const FIRST_SLOT = 2;
const SLOTS = 28;
const FUNCTIONS = 8;

/** Most devices that a machine can have behind ports. */
export const MAX_PORT_DEVICES: number = SLOTS * FUNCTIONS - SPARE_PORTS;

/** Functions of the slot of devices that every guest has, or most: 0 to 2 are the entropy, the balloon and the channels. */
export const USB_FUNCTION = 3;
export const WATCHDOG_FUNCTION = 4;
export const SOUND_FUNCTION = 5;
export const PANIC_FUNCTION = 6;

export const platformAddress = (fn: number): {readonly bus: string; readonly addr: string} => ({
  bus: 'pcie.0',
  addr: `0x1.0x${fn}`,
});

/** The graphics card has a slot of its own behind those of the ports. */
export const GRAPHICS_ADDRESS = {bus: 'pcie.0', addr: '0x1e.0x0'} as const;

/** Name of the bus behind a root port. */
export const portBus = (index: number): string => `rp${index}`;

/**
 * PCI Express root ports, eight to a slot: one for each device that could be unplugged, and spare ones. The chassis number
 * is what a guest knows a hotplug slot by, so it never changes.
 */
export const rootPorts = (devices: number): Args => {
  if (devices > MAX_PORT_DEVICES)
    throw unsupportedMachine(`a machine has room for ${MAX_PORT_DEVICES} disks and interfaces, not ${devices}`);
  return Array.from({length: devices + SPARE_PORTS}, (_, index) => {
    const slot = FIRST_SLOT + Math.floor(index / FUNCTIONS);
    const fn = index % FUNCTIONS;
    return json('-device', {
      driver: 'pcie-root-port',
      id: portBus(index),
      bus: 'pcie.0',
      chassis: index + 1,
      addr: `0x${slot.toString(16)}.0x${fn}`,
      ...(fn === 0 ? {multifunction: true} : {}),
    });
  }).flat();
};
