/** The contract of Wherry: what users, operator and node-daemon agree on. No I/O. */
export * from './wire/launcher.ts';
export * from './wire/pod-layout.ts';
