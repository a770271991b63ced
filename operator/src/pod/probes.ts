import type {InstanceSpec, Probe} from '@wherry/api';
import type {Container} from '@wherry/kube';

type PodProbe = NonNullable<Container['readinessProbe']>;

/** What is 0 or empty is left to the API server, which takes it for its default. */
const meant = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined && one !== 0 && one !== '')) as T;

/** A probe that was stored before it had to say how it asks is none. */
const podProbe = ({tcpSocket, httpGet, ...timing}: Probe): PodProbe | undefined => {
  if (tcpSocket !== undefined) return {...meant(timing), tcpSocket: meant(tcpSocket)};
  if (httpGet !== undefined) return {...meant(timing), httpGet: meant(httpGet)} as PodProbe;
  return undefined;
};

/**
 * Probes of the instance as probes of its container: the kubelet asks the address of the pod, which leads to the guest.
 * Their times count from the start of the container, in which the guest starts within a second.
 */
export const podProbes = ({
  readinessProbe,
  livenessProbe,
}: InstanceSpec): Pick<Container, 'readinessProbe' | 'livenessProbe'> => {
  const readiness = readinessProbe === undefined ? undefined : podProbe(readinessProbe);
  const liveness = livenessProbe === undefined ? undefined : podProbe(livenessProbe);
  return {
    ...(readiness === undefined ? {} : {readinessProbe: readiness}),
    ...(liveness === undefined ? {} : {livenessProbe: liveness}),
  };
};
