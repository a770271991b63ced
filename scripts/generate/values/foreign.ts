/** Fields of KubeVirt's own configuration that do not fit into ours: each is refused by name, with what to do instead. */
import type {ValueSchema} from './schema.ts';

/** No value passes. Helm prints `at '/configuration/x': value must be 'left out: …'`. */
export const leftOut = (instead: string): ValueSchema => ({const: `left out: ${instead}`});

const inMachine = (path: string): string => `set spec.template.spec.${path} in each machine`;
const none = 'there is no such part';

/** What `spec.configuration` of KubeVirt's KubeVirt object may hold beside what is honoured. */
const instead: Readonly<Record<string, string>> = {
  additionalGuestMemoryOverheadRatio: 'the overhead is measured, and no factor is needed',
  apiConfiguration: none,
  architectureConfiguration: inMachine('domain.machine'),
  autoCPULimitNamespaceLabelSelector: inMachine('domain.resources.limits'),
  changedBlockTrackingLabelSelectors: 'it is not supported',
  commonInstancetypesDeployment: 'instance types are not supported',
  confidentialCompute: 'it is not supported',
  controllerConfiguration: 'the operator needs no limits of its client',
  cpuModel: inMachine('domain.cpu.model'),
  cpuRequest: 'write cpuAllocationRatio',
  defaultRuntimeClass: 'it is not supported',
  developerConfiguration:
    'write cpuAllocationRatio, memoryOvercommit and, for useEmulation, allowEmulation here, and logLevel for logVerbosity',
  emulatedMachines: inMachine('domain.machine'),
  handlerConfiguration: 'the node-daemons need no limits of their client',
  hypervisors: 'it is not supported',
  imagePullPolicy: 'write images.pullPolicy',
  instancetype: 'instance types are not supported',
  ksmConfiguration: 'it is not supported',
  liveUpdateConfiguration: 'hotplug is not supported',
  machineType: inMachine('domain.machine'),
  mediatedDevicesConfiguration: 'it is not supported',
  memBalloonStatsPeriod: 'it is not supported',
  migrations: 'live migration is not supported',
  minCPUModel: inMachine('domain.cpu.model'),
  network: 'network bindings are not supported',
  obsoleteCPUModels: inMachine('domain.cpu.model'),
  ovmfPath: 'firmware comes with the launcher image',
  permittedHostDevices: 'host devices are not supported',
  persistentReservationConfiguration: 'it is not supported',
  roleAggregationStrategy: 'write rbac.aggregate',
  seccompConfiguration: 'VM pods run with the profile RuntimeDefault',
  selinuxLauncherType: 'it is not supported',
  smbios: 'it is not supported',
  supportContainerResources: none,
  supportedGuestAgentVersions: 'every version is asked',
  tlsConfiguration: none,
  virtTemplateDeployment: 'it is not supported',
  virtualMachineInstancesPerNode: 'there is no limit per node: set spec.template.spec.domain.resources in each machine',
  virtualMachineOptions: 'write disableSerialConsoleLog',
  vmRolloutStrategy: 'changes are for the next start',
  vmStateStorageClass: 'it is not supported',
  webhookConfiguration: 'there are no webhooks',
};

/** For the schema of `configuration`. */
export const foreignConfiguration: Readonly<Record<string, ValueSchema>> = Object.fromEntries(
  Object.entries(instead).map(([name, remedy]) => [name, leftOut(remedy)]),
);
