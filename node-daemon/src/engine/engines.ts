import type {EngineKind, EngineName} from './engine.ts';
import {nativeKind} from './native/native-kind.ts';
import {qemuKind} from './qemu/qemu-kind.ts';

export type Engines = Readonly<Record<EngineName, EngineKind>>;

export const engines: Engines = {qemu: qemuKind, native: nativeKind};
