import {
  Annotation,
  API_VERSION,
  type Config,
  type KvmVerdict,
  Label,
  LAUNCHER_APP,
  labelValueOf,
  PodLayout,
  podNameOf,
} from '@wherry/api';
import type {Container, PersistentVolumeClaim, Pod, PodSpec} from '@wherry/kube';
import type {Instance} from '../objects.ts';
import {anyCpu, type CpuPlacement, cpuPlacement, withForbidden} from './cpu-placement.ts';
import {podMounts} from './mounts.ts';
import {podPlacement} from './placement.ts';
import {podProbes} from './probes.ts';
import {podResources} from './resources.ts';
import {nativeSelector, type Runner} from './runner.ts';

/** What the launcher needs after the guest's own grace period: to kill the engine, say how it went, and exit. */
const graceMarginSeconds = 15;

/** Where the launcher writes what went wrong; the operator reads it from the pod's status. */
const terminationLog = '/dev/termination-log';

/**
 * The pod of one run. Its name follows from the instance's uid, so a second pod for the same run cannot be made; it has
 * no device, no capability and no credentials: the node-daemon hands in what the guest may use.
 */
export const renderPod = (
  vmi: Instance,
  runner: Runner,
  config: Config,
  claims: ReadonlyMap<string, PersistentVolumeClaim>,
): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: podNameOf(vmi.metadata.name, vmi.metadata.uid),
    namespace: vmi.metadata.namespace,
    labels: podLabels(vmi),
    annotations: podAnnotations(vmi, runner),
    ownerReferences: [
      {
        apiVersion: API_VERSION,
        kind: 'VirtualMachineInstance',
        name: vmi.metadata.name,
        uid: vmi.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  },
  spec: podSpec(vmi, runner, config, claims),
});

const podSpec = (
  vmi: Instance,
  runner: Runner,
  config: Config,
  claims: ReadonlyMap<string, PersistentVolumeClaim>,
): PodSpec => {
  const {spec} = vmi;
  const {volumes, mounts, devices, pullSecrets} = podMounts(
    spec,
    name => claims.get(name)?.spec?.volumeMode === 'Block',
  );
  const cpu = runner.accelerator === 'kvm' ? cpuPlacement(spec) : anyCpu;
  const affinity = withForbidden(spec.affinity, cpu);
  return {
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds + graceMarginSeconds,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: PodLayout.user,
      runAsGroup: PodLayout.user,
      fsGroup: PodLayout.user,
      // A large claim is not walked at every start.
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: {type: 'RuntimeDefault'},
    },
    containers: [
      {
        ...container(vmi, runner, config),
        volumeMounts: [...mounts],
        ...(devices.length === 0 ? {} : {volumeDevices: [...devices]}),
      },
    ],
    volumes: [...volumes],
    nodeSelector: nodeSelector(vmi, runner, cpu),
    ...(pullSecrets.length === 0 ? {} : {imagePullSecrets: pullSecrets.map(name => ({name}))}),
    ...podPlacement(vmi.metadata.name, affinity === undefined ? spec : {...spec, affinity}),
    ...accountOf(spec.volumes),
  };
};

/** A token can be had for the pod's own account alone. */
const accountOf = (volumes: Instance['spec']['volumes']): {serviceAccountName?: string} => {
  const account = volumes?.find(({serviceAccount}) => serviceAccount !== undefined)?.serviceAccount;
  return account === undefined ? {} : {serviceAccountName: account.serviceAccountName};
};

const container = (vmi: Instance, runner: Runner, config: Config): Container => {
  const ports = containerPorts(vmi);
  return {
    name: PodLayout.container,
    image: config.launcherImage,
    imagePullPolicy: config.imagePullPolicy,
    command: [PodLayout.launcher],
    env: [
      {name: PodLayout.env.uid, value: vmi.metadata.uid},
      {name: PodLayout.env.name, value: vmi.metadata.name},
    ],
    // The guest's serial console: `kubectl logs` and `kubectl attach -it`.
    stdin: true,
    tty: true,
    terminationMessagePath: terminationLog,
    resources: podResources(vmi.spec, runner, config),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: {drop: ['ALL']},
      readOnlyRootFilesystem: true,
    },
    ...(ports.length === 0 ? {} : {ports}),
    ...podProbes(vmi.spec),
  };
};

const containerPorts = (vmi: Instance): {name?: string; protocol: string; containerPort: number}[] =>
  (vmi.spec.domain.devices.interfaces ?? []).flatMap(({ports = []}) =>
    ports.map(({name, protocol, port}) => ({...(name === undefined ? {} : {name}), protocol, containerPort: port})),
  );

const nodeSelector = (vmi: Instance, {accelerator, engine}: Runner, {needs}: CpuPlacement): Record<string, string> => ({
  ...vmi.spec.nodeSelector,
  [Label.schedulable]: 'true',
  ...((vmi.spec.architecture ?? '') === '' ? {} : {[Label.architecture]: vmi.spec.architecture!}),
  ...(accelerator === 'kvm' ? {[Label.kvm]: 'usable' satisfies KvmVerdict} : {}),
  ...(engine === 'native' ? nativeSelector : {}),
  ...Object.fromEntries(needs.map(label => [label, 'true'])),
});

/** The user's labels, as Services and policies select by them, under ours, which nobody may take over. */
const podLabels = (vmi: Instance): Record<string, string> => ({
  ...vmi.metadata.labels,
  [Label.app]: LAUNCHER_APP,
  [Label.createdBy]: vmi.metadata.uid,
  [Label.vmName]: labelValueOf(vmi.metadata.name),
  [Label.instanceName]: labelValueOf(vmi.metadata.name),
});

/** The user's annotations go on to the pod, but not what tools keep about the object that they were put on. */
const podAnnotations = (vmi: Instance, {accelerator, engine, reason}: Runner): Record<string, string> => ({
  ...Object.fromEntries(
    Object.entries(vmi.metadata.annotations ?? {}).filter(([key]) => !key.startsWith('kubectl.kubernetes.io/')),
  ),
  [Annotation.domain]: vmi.metadata.name,
  [Annotation.defaultContainer]: PodLayout.container,
  [Annotation.accelerator]: accelerator,
  [Annotation.engine]: engine,
  [Annotation.engineReason]: reason,
});
