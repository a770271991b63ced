import {expect, test} from '@jest/globals';
import type {Clock, Domain} from '@wherry/api';
import {clockOf} from '../../machine/clock.ts';
import {cpuOf} from '../../machine/cpu.ts';
import {featuresOf} from '../../machine/features.ts';
import {optionsOf} from '../../testing/arguments.ts';

type Wish = Pick<Domain, 'cpu' | 'features'> & {readonly clock?: Clock};

const cpuArgument = (accelerator: 'kvm' | 'tcg', {clock, ...domain}: Wish) =>
  optionsOf({accelerator, cpu: cpuOf(domain), features: featuresOf(domain.features), clock: clockOf(clock)}, '-cpu')[0];

const hyperv = (features: NonNullable<NonNullable<Domain['features']>['hyperv']>): Wish => ({
  features: {hyperv: features},
});

test.each<[string, Wish, string]>([
  ['nothing', {}, 'host'],
  ['the CPU of the node', {cpu: {model: 'host-passthrough'}}, 'host'],
  ['the model of the node', {cpu: {model: 'host-model'}}, 'host'],
  ['a model', {cpu: {model: 'Haswell-noTSX'}}, 'Haswell-noTSX'],
  [
    'features',
    {
      cpu: {
        features: [
          {name: 'pcid'},
          {name: 'lahf_lm', policy: 'force'},
          {name: 'aes', policy: 'optional'},
          {name: 'avx2', policy: 'disable'},
          {name: 'vmx', policy: 'forbid'},
        ],
      },
    },
    'host,pcid=on,lahf-lm=on,aes=on,avx2=off,vmx=off',
  ],
  ['a KVM that hides', {features: {kvm: {hidden: true}}}, 'host,kvm=off'],
  ['no spinlocks of KVM', {features: {pvspinlock: {enabled: false}}}, 'host,kvm-pv-unhalt=off'],
  ['spinlocks of KVM', {features: {pvspinlock: {}}}, 'host,kvm-pv-unhalt=on'],
  ['an end of interrupts', {features: {apic: {endOfInterrupt: true}}}, 'host,kvm-pv-eoi=on'],
  ['no clock of KVM', {clock: {timer: {kvm: {present: false}}}}, 'host,kvmclock=off'],
  ['a clock of Hyper-V', {clock: {timer: {hyperv: {}}}}, 'host,hv-time=on'],
  ['no clock of Hyper-V', {clock: {timer: {hyperv: {present: false}}}}, 'host'],
  ['all of Hyper-V', {features: {hypervPassthrough: {}}}, 'host,hv-passthrough=on'],
  ['none of Hyper-V', hyperv({relaxed: {enabled: false}}), 'host'],
  [
    'what Windows wants',
    hyperv({relaxed: {}, vapic: {}, spinlocks: {spinlocks: 8191}, vendorid: {vendorid: 'KVM Hv'}}),
    'host,hv-relaxed=on,hv-vapic=on,hv-spinlocks=8191,hv-vendor-id=KVM Hv',
  ],
  ['spinlocks of Hyper-V', hyperv({spinlocks: {}}), 'host,hv-spinlocks=4096'],
  [
    'timers, and so what they need',
    hyperv({synictimer: {direct: {}}}),
    'host,hv-time=on,hv-vpindex=on,hv-synic=on,hv-stimer=on,hv-stimer-direct=on',
  ],
  [
    'flushes, and so what they need',
    hyperv({tlbflush: {direct: {}, extended: {}}}),
    'host,hv-vapic=on,hv-vpindex=on,hv-tlbflush=on,hv-tlbflush-direct=on,hv-tlbflush-ext=on',
  ],
  ['flushes that are off, with their parts', hyperv({tlbflush: {enabled: false, direct: {}}}), 'host'],
  ['nested state, and so a CPU that nests', hyperv({evmcs: {}}), 'host,vmx=on,hv-vapic=on,hv-evmcs=on'],
])('with KVM a guest that asks for %s gets it', (_what, wish, expected) => {
  expect(cpuArgument('kvm', wish)).toBe(expected);
});

test.each<[string, Wish, string]>([
  ['nothing', {}, 'max,-la57'],
  ['the CPU of the node', {cpu: {model: 'host-passthrough'}}, 'max,-la57'],
  ['a model', {cpu: {model: 'EPYC'}}, 'EPYC,-la57'],
  ['five levels', {cpu: {features: [{name: 'la57'}]}}, 'max,la57=on'],
  [
    'Hyper-V and a KVM that hides',
    {features: {hypervPassthrough: {}, kvm: {hidden: true}, pvspinlock: {}}},
    'max,-la57',
  ],
])('emulation of a guest that asks for %s has what it can', (_what, wish, expected) => {
  expect(cpuArgument('tcg', wish)).toBe(expected);
});
