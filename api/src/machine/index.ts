/** What operator and node-daemon must derive in the same way from the same spec. Pure. */
export * from './cpu.ts';
export * from './cpu-table.ts';
export * from './effective.ts';
export * from './emulation.ts';
export * from './graphics.ts';
export * from './hyperv.ts';
export {firmwareUuidOf, macAddressOf, machineUid, normalMacAddress} from './identity.ts';
export * from './machine-type.ts';
export * from './names.ts';
export * from './native-matrix.ts';
export * from './quantity.ts';
export * from './time-zone.ts';
