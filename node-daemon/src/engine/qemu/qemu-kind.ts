import type {EngineKind} from '../engine.ts';
import {type Dialect, QmpEngine, versionText} from '../qmp/qmp-engine.ts';
import {fieldsOf} from '../qmp/qmp.ts';
import {AGENT_CHARDEV, BALLOON_ID, machineTypeOf} from './machine-type.ts';
import {MAX_PORT_DEVICES} from './pci.ts';
import {qemuPlan} from './plan.ts';

const operations = new Set(['pause', 'resume', 'reset', 'powerButton'] as const);

const dialect: Dialect = {
  name: 'qemu',
  label: 'QEMU',
  version: answer => {
    const {major, minor, micro} = fieldsOf(fieldsOf(answer).qemu);
    return versionText(major, minor, micro);
  },
  agentChardev: AGENT_CHARDEV,
  balloon: `/machine/peripheral/${BALLOON_ID}`,
};

export const qemuKind: EngineKind = {
  name: 'qemu',
  machineTypeOf,
  capabilities: {
    operations,
    accelerators: ['kvm', 'tcg'],
    maxVcpus: 254,
    maxDisks: MAX_PORT_DEVICES,
    balloon: true,
    alignsIo: true,
  },
  plan: qemuPlan,
  attach: connection => new QmpEngine(connection, dialect),
};
