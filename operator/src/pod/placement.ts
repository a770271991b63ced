import {hostnameOf, type InstanceSpec} from '@wherry/api';
import type {PodSpec} from '@wherry/kube';

/** What is empty was not asked for. */
const given = (value: string | undefined): boolean => value !== undefined && value !== '';

/**
 * Where the pod may run, by which scheduler, and by which names it is known: fields of the instance that Kubernetes
 * defines and that go to the pod as they are. The host name is always given, for without one a subdomain has no address.
 */
export const podPlacement = (name: string, spec: InstanceSpec): Partial<PodSpec> =>
  ({
    hostname: hostnameOf(name, spec.hostname),
    ...(given(spec.subdomain) ? {subdomain: spec.subdomain} : {}),
    ...(given(spec.dnsPolicy) ? {dnsPolicy: spec.dnsPolicy} : {}),
    ...(spec.dnsConfig === undefined ? {} : {dnsConfig: spec.dnsConfig}),
    ...(spec.affinity === undefined ? {} : {affinity: spec.affinity}),
    ...(spec.tolerations === undefined ? {} : {tolerations: spec.tolerations}),
    ...(spec.topologySpreadConstraints === undefined
      ? {}
      : {topologySpreadConstraints: spec.topologySpreadConstraints}),
    ...(given(spec.schedulerName) ? {schedulerName: spec.schedulerName} : {}),
    ...(given(spec.priorityClassName) ? {priorityClassName: spec.priorityClassName} : {}),
    ...(given(spec.serviceAccountName) ? {serviceAccountName: spec.serviceAccountName} : {}),
  }) as Partial<PodSpec>;
