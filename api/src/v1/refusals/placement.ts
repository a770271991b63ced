import type {Refusals} from '../../schema/index.ts';

const RESOLVER = 'configure the resolver of the guest by networkData of a cloudInitNoCloud volume';
const PROBE = 'watch the guest from outside: it counts as ready while it runs';

/** Where and when the guest runs, and what Kubernetes knows of it. */
export const placementRefusals: Refusals = {
  architecture: {type: 'string', pass: ['amd64'], instead: 'use an amd64 guest: there are no other nodes'},
  dnsConfig: {type: 'object', instead: RESOLVER},
  dnsPolicy: {type: 'string', pass: ['ClusterFirst'], instead: RESOLVER},
  evictionStrategy: {type: 'string', pass: ['None'], instead: 'leave it out: guests cannot move while they run'},
  livenessProbe: {type: 'object', instead: PROBE},
  priorityClassName: {type: 'string', instead: 'leave it out: guests have the default priority'},
  readinessProbe: {type: 'object', instead: PROBE},
  resourceClaims: {type: 'list', instead: 'leave it out: devices of the node cannot be given to guests'},
  schedulerName: {type: 'string', pass: ['default-scheduler'], instead: 'leave it out: the default scheduler is used'},
  serviceAccountName: {type: 'string', instead: 'give the token to the guest in a Secret, by cloudInitNoCloud'},
  subdomain: {type: 'string', instead: 'make a Service that selects the labels of the guest'},
  topologySpreadConstraints: {type: 'list', instead: 'use affinity.podAntiAffinity'},
};
