/**
 * What KubeVirt offers and Wherry does not, yet: one line a field, the topmost that is not supported. A field that gets
 * implemented leaves these tables; progress is that they get shorter.
 */
import {type Refusals, refusalsIn} from '../../schema/index.ts';
import {deviceRefusals} from './devices.ts';
import {domainRefusals} from './domain.ts';
import {networkRefusals} from './network.ts';
import {placementRefusals} from './placement.ts';
import {storageRefusals} from './storage.ts';

/** Of the spec of an instance, and so of the template of a machine. */
export const instanceRefusals: Refusals = {
  ...domainRefusals,
  ...deviceRefusals,
  ...networkRefusals,
  ...storageRefusals,
  ...placementRefusals,
};

/** Of the spec of a machine, beside its template. */
export const machineRefusals: Refusals = {
  dataVolumeTemplates: {
    type: 'list',
    instead:
      'make the PersistentVolumeClaim yourself and name it in a volume, as persistentVolumeClaim: {claimName: disk}',
  },
  instancetype: {
    type: 'object',
    instead: 'write its CPUs and memory into template.spec.domain (virtctl: --infer-instancetype=false)',
  },
  preference: {
    type: 'object',
    instead: 'write what it prefers into template.spec.domain (virtctl: --infer-preference=false)',
  },
  updateVolumesStrategy: {
    type: 'string',
    pass: ['Replacement'],
    instead: 'leave it out: changed volumes are used from the next start on',
  },
};

/**
 * Messages for the fields of a spec that are refused: what the API server would say of a new object, for one that it
 * stored before the field was refused. Paths are relative to the spec that holds them.
 *
 * @param spec of an instance or of a machine, whose template counts too
 */
export const refusedIn = (spec: object): string[] => {
  const template = (spec as {template?: {spec?: unknown}}).template;
  return template === undefined
    ? refusalsIn(spec, instanceRefusals)
    : [...refusalsIn(spec, machineRefusals), ...refusalsIn(template.spec, instanceRefusals)];
};
