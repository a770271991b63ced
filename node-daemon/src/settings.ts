/** What the environment says, read once and checked. */
import {hostname} from 'node:os';
import {DaemonLease} from '@wherry/api';
import {DaemonError} from './errors.ts';

export interface Settings {
  /** Name of the Node that the daemon runs on. */
  readonly node: string;
  /** The kubelet's folder of pods. Defaults to /var/lib/kubelet/pods. */
  readonly pods: string;
  /** Path of libwherry.so. Defaults to where a checkout has it. */
  readonly library: string | undefined;
  /** Path of the KVM self-test. Defaults to /usr/bin/wherry-kvm-selftest. */
  readonly selfTest: string;
  /** Path of the network-namespace helper. Defaults to /usr/bin/wherry-netns. */
  readonly netns: string;
  /** Defaults to 8081. */
  readonly healthPort: number;
  /** Defaults to 8080. */
  readonly metricsPort: number;
  /** File with the cluster's configuration. Defaults to /etc/wherry/config.json. */
  readonly configPath: string;
  /** Namespace of the installation, where the daemon's Lease lies. Defaults to wherry. */
  readonly namespace: string;
  /** Name of the daemon's pod, who holds that Lease. Defaults to the host's name. */
  readonly pod: string;
  /** How long the Lease holds that is not renewed, in s. Defaults to 40. */
  readonly leaseSeconds: number;
}

type Env = Readonly<Record<string, string | undefined>>;

const required = (env: Env, name: string, remedy: string): string => {
  const value = env[name] ?? '';
  if (value === '') throw new DaemonError('CONFIGURATION', `${name} is not set: ${remedy}`);
  return value;
};

const port = (env: Env, name: string, otherwise: number): number => {
  const text = env[name] ?? '';
  const value = text === '' ? otherwise : Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new DaemonError('CONFIGURATION', `${name}=${text} is no port: give a number up to 65535`);
  return value;
};

/** Shorter ones would be lost to a pause of the API server, longer ones tell of a lost node too late. */
const leaseSeconds = (env: Env): number => {
  const text = env['LEASE_SECONDS'] ?? '';
  const value = text === '' ? DaemonLease.durationSeconds : Number(text);
  if (!Number.isInteger(value) || value < 8 || value > 300)
    throw new DaemonError('CONFIGURATION', `LEASE_SECONDS=${text} is no such time: give 8 to 300`);
  return value;
};

/** @throws DaemonError CONFIGURATION that names the variable */
export const settingsOf = (env: Env): Settings => ({
  node: required(env, 'NODE_NAME', 'give the name of the Node, as the chart does by fieldRef spec.nodeName'),
  pods: env['KUBELET_PODS'] || '/var/lib/kubelet/pods',
  library: env['WHERRY_NATIVE_LIB'] || undefined,
  selfTest: env['WHERRY_SELFTEST'] || '/usr/bin/wherry-kvm-selftest',
  netns: env['WHERRY_NETNS'] || '/usr/bin/wherry-netns',
  healthPort: port(env, 'HEALTH_PORT', 8081),
  metricsPort: port(env, 'METRICS_PORT', 8080),
  configPath: env['WHERRY_CONFIG'] || '/etc/wherry/config.json',
  namespace: env['POD_NAMESPACE'] || 'wherry',
  pod: env['POD_NAME'] || hostname(),
  leaseSeconds: leaseSeconds(env),
});
