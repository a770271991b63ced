import type {EngineKind} from '../engine.ts';
import {QEMU_MACHINE_TYPE} from './machine-type.ts';
import {MAX_PORT_DEVICES} from './pci.ts';
import {qemuPlan} from './plan.ts';
import {QemuEngine} from './qemu-engine.ts';

const operations = new Set(['pause', 'resume', 'reset', 'powerButton'] as const);

export const qemuKind: EngineKind = {
  name: 'qemu',
  machineType: QEMU_MACHINE_TYPE,
  capabilities: {
    operations,
    accelerators: ['kvm', 'tcg'],
    maxVcpus: 254,
    maxDisks: MAX_PORT_DEVICES,
  },
  plan: qemuPlan,
  attach: connection => new QemuEngine(connection),
};
