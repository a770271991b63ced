import type {Refusals} from '../../schema/index.ts';

const PROBE = 'use tcpSocket or httpGet: nothing inside the guest is asked';

/** Where and when the guest runs, and what Kubernetes knows of it. */
export const placementRefusals: Refusals = {
  'livenessProbe.exec': {type: 'marker', instead: PROBE},
  'livenessProbe.guestAgentPing': {type: 'marker', instead: PROBE},
  'readinessProbe.exec': {type: 'marker', instead: PROBE},
  'readinessProbe.guestAgentPing': {type: 'marker', instead: PROBE},
  resourceClaims: {type: 'list', instead: 'leave it out: devices of the node cannot be given to guests'},
};
