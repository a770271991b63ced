/** Kinds of KubeVirt and its companions that are not served here: an API server knows nothing of them, so only we can say what to use instead. */
export interface KindRefusal {
  readonly group: string;
  readonly kind: string;
  /** What to use instead, without a full stop. */
  readonly instead: string;
}

const sizes = 'write CPUs and memory into spec.template.spec.domain of each machine, by Kustomize or Helm for example';
const preferences = 'write what it prefers into spec.template.spec.domain of each machine';
const snapshots = 'use VolumeSnapshot of the storage driver while the machine is stopped';
const migrations = 'stop the machine and start it again: it is scheduled anew, and its claims go with it';
const backups = 'back up the claims with the tool of the storage, or from within the guest';

export const kindRefusals: readonly KindRefusal[] = [
  {
    group: 'kubevirt.io',
    kind: 'KubeVirt',
    instead: "set the values of the chart, which are the cluster's configuration",
  },
  {group: 'kubevirt.io', kind: 'VirtualMachineInstanceMigration', instead: migrations},
  {
    group: 'kubevirt.io',
    kind: 'VirtualMachineInstancePreset',
    instead: 'write its values into the spec of each machine; KubeVirt itself is giving presets up',
  },
  {group: 'kubevirt.io', kind: 'VirtualMachineInstanceReplicaSet', instead: 'make one VirtualMachine for each replica'},
  {group: 'instancetype.kubevirt.io', kind: 'VirtualMachineInstancetype', instead: sizes},
  {group: 'instancetype.kubevirt.io', kind: 'VirtualMachineClusterInstancetype', instead: sizes},
  {group: 'instancetype.kubevirt.io', kind: 'VirtualMachinePreference', instead: preferences},
  {group: 'instancetype.kubevirt.io', kind: 'VirtualMachineClusterPreference', instead: preferences},
  {group: 'pool.kubevirt.io', kind: 'VirtualMachinePool', instead: 'make one VirtualMachine for each replica'},
  {group: 'snapshot.kubevirt.io', kind: 'VirtualMachineSnapshot', instead: snapshots},
  {group: 'snapshot.kubevirt.io', kind: 'VirtualMachineSnapshotContent', instead: snapshots},
  {
    group: 'snapshot.kubevirt.io',
    kind: 'VirtualMachineRestore',
    instead: 'make a claim from the VolumeSnapshot and name it in a volume of the machine',
  },
  {
    group: 'clone.kubevirt.io',
    kind: 'VirtualMachineClone',
    instead: 'make claims from those of the stopped machine, as dataSource has it, and a machine that names them',
  },
  {
    group: 'export.kubevirt.io',
    kind: 'VirtualMachineExport',
    instead: 'mount the claim in a pod and copy its disk.img while the machine is stopped',
  },
  {group: 'migrations.kubevirt.io', kind: 'MigrationPolicy', instead: 'leave it out: machines do not migrate'},
  {group: 'backup.kubevirt.io', kind: 'VirtualMachineBackup', instead: backups},
  {group: 'backup.kubevirt.io', kind: 'VirtualMachineBackupTracker', instead: backups},
  {
    group: 'plugin.kubevirt.io',
    kind: 'Plugin',
    instead: 'write what the guest needs into its spec, from which alone its machine is made',
  },
  {
    group: 'cdi.kubevirt.io',
    kind: 'DataVolume',
    instead: 'install CDI, which is a project of its own, and name the claim that it makes in a volume',
  },
];

/** What a user reads of a kind that is not served. */
export const kindMessage = ({kind, group, instead}: KindRefusal): string =>
  `${kind} of ${group} is not served: ${instead}`;

/** The refusal of an object's kind. Undefined where it is served, or is nothing of KubeVirt's. */
export const refusedKind = (apiVersion: string, kind: string): KindRefusal | undefined =>
  kindRefusals.find(one => one.kind === kind && apiVersion.startsWith(`${one.group}/`));
