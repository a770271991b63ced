import {NATIVE_MAX_DEVICES} from '@wherry/api';
import type {EngineKind} from '../engine.ts';
import {type Dialect, QmpEngine, versionText} from '../qmp/qmp-engine.ts';
import {fieldsOf} from '../qmp/qmp.ts';
import {nativePlan} from './plan.ts';

/** The machine that guests see; another number for one that they would take for another. */
export const NATIVE_MACHINE_TYPE = 'wherry-1';

const dialect: Dialect = {
  name: 'native',
  label: 'native',
  version: answer => {
    const {package: said} = fieldsOf(answer);
    const numbers = /^wherry-vmm (\d{1,9})\.(\d{1,9})\.(\d{1,9})$/.exec(typeof said === 'string' ? said : '');
    return versionText(...[1, 2, 3].map(at => Number(numbers?.[at])));
  },
};

export const nativeKind: EngineKind = {
  name: 'native',
  machineTypeOf: () => NATIVE_MACHINE_TYPE,
  capabilities: {
    operations: new Set(['pause', 'resume', 'reset', 'powerButton'] as const),
    accelerators: ['kvm'],
    maxVcpus: 254,
    maxDisks: NATIVE_MAX_DEVICES,
    balloon: false,
    alignsIo: false,
  },
  plan: nativePlan,
  attach: connection => new QmpEngine(connection, dialect),
};
