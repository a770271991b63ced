/** What operator and node-daemon must derive in the same way from the same spec. Pure. */
export * from './effective.ts';
export * from './graphics.ts';
export {firmwareUuidOf, macAddressOf, machineUid, normalMacAddress} from './identity.ts';
export * from './names.ts';
export * from './quantity.ts';
