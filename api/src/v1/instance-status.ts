import {engineNames, instancePhases, volumePhases} from '../constants/index.ts';
import {
  boolean,
  enumeration,
  type Infer,
  integer,
  list,
  listMap,
  map,
  object,
  optional,
  quantity,
  string,
  timestamp,
} from '../schema/index.ts';
import {conditions} from './condition.ts';

const word = (description: string) => string(description, {maxLength: 253});
const text = (description: string) => string(description, {maxLength: 32_768});
const count = (description: string) => integer(description, {minimum: 0, maximum: Number.MAX_SAFE_INTEGER});

const interfaceStatus = object('What is known about one network interface.', {
  name: optional(word('Name of the interface in the spec.')),
  mac: optional(word('MAC address.')),
  ipAddress: optional(word('The first address.')),
  ipAddresses: optional(list('All addresses.', word('An address.'), {maxItems: 64})),
  interfaceName: optional(word('Name of the interface in the guest, as its agent says.')),
  podInterfaceName: optional(word('Name of the interface in the pod.')),
  infoSource: optional(word('Where this is known from: domain, guest-agent, or both.')),
  linkState: optional(word('up or down.')),
  queueCount: optional(integer('Number of queues.', {minimum: 0, maximum: 1024})),
});

const guestOsInfo = object('The operating system of the guest, as its agent says.', {
  id: optional(word('Short name, as debian.')),
  name: optional(word('Name, as Debian GNU/Linux.')),
  prettyName: optional(word('Name and version for people.')),
  version: optional(word('Version with its code name.')),
  versionId: optional(word('Version.')),
  kernelRelease: optional(word('Release of the kernel.')),
  kernelVersion: optional(word('Version of the kernel.')),
  machine: optional(word('Architecture, as x86_64.')),
});

const amounts = (description: string) => map(description, quantity('An amount, as 10Gi.'), {maxProperties: 16});

const claimInfo = object('What is known about the claim behind a volume.', {
  claimName: optional(word('Name of the claim.')),
  accessModes: optional(list('Access modes of the claim.', word('An access mode.'), {maxItems: 8})),
  volumeMode: optional(word('Filesystem or Block.')),
  capacity: optional(amounts('What the claim holds.')),
  requests: optional(amounts('What the claim asked for.')),
  filesystemOverhead: optional(word('Part of the claim that its filesystem takes, as 0.05.')),
  preallocated: optional(boolean('Whether its storage was filled when it was made.')),
});

const volumeStatus = object('What is known about one volume.', {
  name: word('Name of the volume in the spec.'),
  target: string('Name of the device in the guest, as vda.', {maxLength: 253}),
  phase: optional(enumeration('How far the volume is.', volumePhases)),
  reason: optional(word('Why it is there, in one word.')),
  message: optional(text('Why it is there, for people.')),
  size: optional(count('Size of the disk in bytes.')),
  persistentVolumeClaimInfo: optional(claimInfo),
});

const engine = object('The process that runs the guest.', {
  name: enumeration('The engine, chosen when the pod is made.', [...engineNames]),
  version: word('Version of the engine; empty until it runs.'),
  reason: text('Why this engine was chosen.'),
});

const topology = (description: string) => integer(description, {minimum: 1, maximum: 4096});

export const instanceStatus = object('What is known about the run.', {
  phase: optional(enumeration('How far the run is.', instancePhases)),
  reason: optional(word('Why it is there, in one word.')),
  nodeName: optional(word('The node that runs the guest.')),
  evacuationNodeName: optional(
    word('The node that the guest must leave, because it is drained, where evictionStrategy is External.'),
  ),
  conditions: optional(conditions),
  phaseTransitionTimestamps: optional(
    listMap(
      'When each phase began.',
      object('When one phase began.', {
        phase: enumeration('The phase.', instancePhases),
        phaseTransitionTimestamp: timestamp('When it began.'),
      }),
      {keys: ['phase'], maxItems: 16},
    ),
  ),
  activePods: optional(
    map('Pods of the run: the name of the node by the uid of the pod.', word('Name of the node.'), {maxProperties: 16}),
  ),
  interfaces: optional(list('Network interfaces.', interfaceStatus, {maxItems: 64})),
  guestOSInfo: optional(guestOsInfo),
  volumeStatus: optional(listMap('Volumes.', volumeStatus, {keys: ['name'], maxItems: 512})),
  engine: optional(engine),
  machine: optional(
    object('The machine that the guest sees.', {type: optional(word('Type of the machine, as pc-q35-10.0.'))}),
  ),
  memory: optional(
    object('Memory of the guest.', {
      guestAtBoot: optional(quantity('What it had at its start.')),
      guestCurrent: optional(quantity('What it has now.')),
      guestRequested: optional(quantity('What the spec asks for.')),
      memoryOverhead: optional(quantity('What the pod asks for beside the memory of the guest.')),
    }),
  ),
  currentCPUTopology: optional(
    object('CPUs that the guest has.', {
      cores: optional(topology('Cores of one socket.')),
      sockets: optional(topology('Sockets.')),
      threads: optional(topology('Threads of one core.')),
    }),
  ),
  qosClass: optional(enumeration('Quality of service of the pod.', ['Guaranteed', 'Burstable', 'BestEffort'])),
  launcherContainerImageVersion: optional(string('Image of the launcher.', {maxLength: 1024})),
  runtimeUser: optional(integer('The user id that the guest runs as.', {minimum: 0, maximum: 2_147_483_647})),
  virtualMachineRevisionName: optional(word('Name of the revision of the template that runs.')),
});
export type InstanceStatus = Infer<typeof instanceStatus>;
export type InterfaceStatus = Infer<typeof interfaceStatus>;
export type VolumeStatus = Infer<typeof volumeStatus>;
export type GuestOsInfo = Infer<typeof guestOsInfo>;
