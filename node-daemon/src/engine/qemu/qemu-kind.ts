import type {EngineKind} from '../engine.ts';
import {machineTypeOf} from './machine-type.ts';
import {MAX_PORT_DEVICES} from './pci.ts';
import {qemuPlan} from './plan.ts';
import {QemuEngine} from './qemu-engine.ts';

const operations = new Set(['pause', 'resume', 'reset', 'powerButton'] as const);

export const qemuKind: EngineKind = {
  name: 'qemu',
  machineTypeOf,
  capabilities: {
    operations,
    accelerators: ['kvm', 'tcg'],
    maxVcpus: 254,
    maxDisks: MAX_PORT_DEVICES,
  },
  plan: qemuPlan,
  attach: connection => new QemuEngine(connection),
};
