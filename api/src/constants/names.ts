/** Names that objects carry, as KubeVirt has them; our own lie under wherry.dev/. */

export const GROUP = 'kubevirt.io';
export const VERSION = 'v1';
export const API_VERSION = 'kubevirt.io/v1';

export const Label = {
  /** On every VM pod, with the value `virt-launcher`. */
  app: 'kubevirt.io',
  /** On a VM pod: the uid of its instance. */
  createdBy: 'kubevirt.io/created-by',
  /** On a VM pod and an instance: the name of the VirtualMachine, cut to a label's length. */
  vmName: 'vm.kubevirt.io/name',
  /** On a VM pod: the name of the instance, cut to a label's length. */
  instanceName: 'vmi.kubevirt.io/id',
  /** On an instance: the node that it was handed to. */
  nodeName: 'kubevirt.io/nodeName',
  /** On a node: `true` while its node-daemon can run guests. */
  schedulable: 'kubevirt.io/schedulable',
  /** On a node, by its kubelet: its architecture, as amd64. */
  architecture: 'kubernetes.io/arch',
  /** On a node: the verdict of the KVM self-test, a `KvmVerdict`. */
  kvm: 'wherry.dev/kvm',
  /** On a node that runs guests on the native engine: the version of the matrix that says which ones. */
  nativeMatrix: 'wherry.dev/native-matrix',
} as const;

/** On a node: what its KVM can give to a guest; the name follows, and the value is `true`. */
export const CpuLabel = {
  /** A model of QEMU, whole. */
  model: 'cpu-model.node.kubevirt.io/',
  /** A feature of CPUID, by QEMU's name. */
  feature: 'cpu-feature.node.kubevirt.io/',
  /** The model that comes nearest to the CPU of the node. */
  hostModel: 'host-model-cpu.node.kubevirt.io/',
} as const;

/** Value of `Label.app` on a VM pod. */
export const LAUNCHER_APP = 'virt-launcher';

/** What the KVM self-test of a node found. */
export const kvmVerdicts = ['usable', 'broken', 'absent'] as const;
export type KvmVerdict = (typeof kvmVerdicts)[number];

/** What runs the guest's instructions. */
export const accelerators = ['kvm', 'tcg'] as const;
export type Accelerator = (typeof accelerators)[number];

/** What runs a guest. */
export const engineNames = ['qemu', 'native'] as const;
export type EngineName = (typeof engineNames)[number];

export const Annotation = {
  /** On a node: why its KVM verdict is what it is. */
  kvmReason: 'wherry.dev/kvm-reason',
  /** On a template or instance: auto, native or qemu. Defaults to auto. On a VM pod: the one that the operator chose. */
  engine: 'wherry.dev/engine',
  /** On a VM pod: why the operator chose that engine. */
  engineReason: 'wherry.dev/engine-reason',
  /**
   * On a template or instance: true pauses the guest, false resumes it. Level-triggered: it holds for as long as it stands
   * there. Without it nobody but the guest's own engine pauses or resumes it.
   */
  paused: 'wherry.dev/paused',
  /** On a VM pod: the accelerator that the operator chose, an `Accelerator`. */
  accelerator: 'wherry.dev/accelerator',
  /** On an instance: the generation of the VirtualMachine that it was made from. */
  vmGeneration: 'kubevirt.io/vm-generation',
  /** On a VM pod: the name of its instance, whole. */
  domain: 'kubevirt.io/domain',
  /** On a VM pod, so that `kubectl logs` and `exec` need no container name. */
  defaultContainer: 'kubectl.kubernetes.io/default-container',
} as const;

export const Finalizer = {
  /** On a VirtualMachine: its instance goes first. */
  virtualMachine: 'kubevirt.io/virtualMachineControllerFinalize',
  /** On an instance: its pod and engine go first. */
  instance: 'kubevirt.io/foregroundDeleteVirtualMachine',
} as const;

/** Taints by which tools say that a node is being drained; `kubectl drain` and `cordon` make it unschedulable. */
export const drainTaints: readonly string[] = [
  'kubevirt.io/drain',
  'ToBeDeletedByClusterAutoscaler',
  'karpenter.sh/disrupted',
];

/** Server-side apply: one field manager for each role. */
export const FieldManager = {
  operator: 'wherry-operator',
  nodeDaemon: 'wherry-node-daemon',
} as const;

/** Labels that only Wherry sets; a template that carries them is refused. */
export const reservedLabels: readonly string[] = [
  Label.createdBy,
  Label.nodeName,
  Label.schedulable,
  'kubevirt.io/migrationJobUID',
  'kubevirt.io/migrationTargetNodeName',
  'kubevirt.io/install-strategy',
];
