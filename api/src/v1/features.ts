/** Features of the machine that a guest can see, and what makes Windows feel at home. */
import {boolean, type Infer, integer, object, optional, type Rule, string} from '../schema/index.ts';

const state = (description: string) =>
  object(description, {enabled: optional(boolean('Whether the guest has it. Defaults to true.'))});

/** Is there and not switched off; is there and switched off. */
const on = (feature: string): string => `has(self.${feature}) && self.${feature}.?enabled.orValue(true)`;
const off = (feature: string): string => `has(self.${feature}) && !self.${feature}.?enabled.orValue(true)`;

/** What a feature needs is switched on with it; that somebody switched it off is a contradiction. */
const needs = (feature: string, other: string): Rule => ({
  rule: `!(${on(feature)}) || !(${off(other)})`,
  message: `${feature} needs ${other}, which is switched off: remove ${other}, or switch ${feature} off as well`,
  fieldPath: `.${feature}`,
});

const hyperv = object(
  'What a guest that knows Hyper-V finds of it. Needs KVM; what a feature needs comes with it.',
  {
    relaxed: optional(state('The guest does not take a delay for a hang.')),
    vapic: optional(state('An interrupt controller that costs fewer exits.')),
    spinlocks: optional(
      object('The guest tells when it spins for long.', {
        enabled: optional(boolean('Whether the guest has it. Defaults to true.')),
        spinlocks: optional(
          integer('How often the guest tries before it tells. Defaults to 4096.', {
            minimum: 4095,
            maximum: 4_294_967_295,
          }),
        ),
      }),
    ),
    vpindex: optional(state('A number for each virtual processor.')),
    runtime: optional(state('How long each virtual processor has run.')),
    synic: optional(state('A synthetic interrupt controller. Needs vpindex.')),
    synictimer: optional(
      object('Timers of that controller. Needs synic.', {
        enabled: optional(boolean('Whether the guest has it. Defaults to true.')),
        direct: optional(state('The timers interrupt the guest directly.')),
      }),
    ),
    reset: optional(state('The guest can reset the machine.')),
    vendorid: optional(
      object('Who the hypervisor says it is.', {
        enabled: optional(boolean('Whether the guest is told so. Defaults to true.')),
        vendorid: optional(string('At most 12 characters.', {maxLength: 12, pattern: '^[ -+.-~-]*$'})),
      }),
    ),
    frequencies: optional(state('The frequencies of TSC and interrupt timer.')),
    reenlightenment: optional(state('The guest is told when the frequency of its TSC has changed.')),
    tlbflush: optional(
      object('TLBs of other virtual processors are flushed by one call. Needs vpindex.', {
        enabled: optional(boolean('Whether the guest has it. Defaults to true.')),
        direct: optional(state('For nested guests as well. Needs vapic.')),
        extended: optional(state('Ranges of addresses, too.')),
      }),
    ),
    ipi: optional(state('Interrupts to many virtual processors by one call. Needs vpindex.')),
    evmcs: optional(state('Nested guests leave faster. Needs vapic, and the CPU feature vmx.')),
  },
  {
    rules: [
      needs('evmcs', 'vapic'),
      needs('ipi', 'vpindex'),
      needs('tlbflush', 'vpindex'),
      needs('synictimer', 'synic'),
      needs('synic', 'vpindex'),
    ],
  },
);
export type HypervFeatures = Infer<typeof hyperv>;

export const features = object(
  'Features of the machine.',
  {
    acpi: optional(
      state(
        'Tables of the machine for the operating system, and its power button. SeaBIOS makes few of its own without.',
      ),
    ),
    apic: optional(
      object('The interrupt controller, which every guest has.', {
        endOfInterrupt: optional(boolean('Interrupts end without an exit; with KVM it is so anyway.')),
      }),
    ),
    hyperv: optional(hyperv),
    hypervPassthrough: optional(
      object('All of Hyper-V that the KVM of the node offers.', {
        enabled: optional(boolean('Whether the guest has it. Defaults to true.')),
      }),
    ),
    kvm: optional(
      object('What the guest sees of KVM.', {
        hidden: optional(boolean('Whether KVM does not show itself to the guest. Defaults to false.')),
      }),
    ),
    pvspinlock: optional(state('A guest that waits for a lock of another virtual processor gives its time away.')),
  },
  {
    rules: [
      {
        rule: `!(${on('hypervPassthrough')}) || !has(self.hyperv) || size(dyn(self.hyperv)) == 0`,
        message: 'hyperv and hypervPassthrough exclude each other: remove one',
        fieldPath: '.hypervPassthrough',
      },
    ],
  },
);
export type Features = Infer<typeof features>;
