/** Features of the machine, apart from those of its CPUs. */
import {type Features, hasHypervPassthrough, type HypervFeature, hypervFeatures} from '@wherry/api';

export interface MachineFeatures {
  readonly acpi: boolean;
  /** KVM does not show itself. */
  readonly kvmHidden: boolean;
  /** As the accelerator has it, where it is left open. */
  readonly pvSpinlock?: boolean;
  readonly endOfInterrupt: boolean;
  readonly hyperv: MachineHyperv;
}

export interface MachineHyperv {
  /** Everything that KVM offers. */
  readonly passthrough: boolean;
  readonly features: ReadonlySet<HypervFeature>;
  readonly spinlockRetries: number;
  readonly vendorId: string;
}

/** KubeVirt's. */
const SPINLOCK_RETRIES = 4096;

export const featuresOf = (features: Features = {}): MachineFeatures => {
  const {acpi, apic, kvm, pvspinlock, hyperv} = features;
  return {
    acpi: acpi?.enabled !== false,
    kvmHidden: kvm?.hidden === true,
    ...(pvspinlock === undefined ? {} : {pvSpinlock: pvspinlock.enabled !== false}),
    endOfInterrupt: apic?.endOfInterrupt === true,
    hyperv: {
      passthrough: hasHypervPassthrough(features),
      features: hypervFeatures(features),
      spinlockRetries: hyperv?.spinlocks?.spinlocks ?? SPINLOCK_RETRIES,
      vendorId: hyperv?.vendorid?.vendorid ?? '',
    },
  };
};
