/** The node-daemon: one node's guests, from plan to metrics. `main.ts` is its process. */
export {Daemon, type DaemonParts} from './daemon.ts';
export {type DaemonErrorCode, DaemonError} from './errors.ts';
export type {Engine, EngineName} from './engine/engine.ts';
export {qemuKind} from './engine/qemu/qemu-kind.ts';
export {type EffectiveMachine, effectiveMachine, type NodeFacts} from './machine/effective-machine.ts';
export {type Settings, settingsOf} from './settings.ts';
