/** Accelerator and processor. */
import type {HypervFeature} from '@wherry/api';
import type {EffectiveMachine} from '../../machine/effective-machine.ts';
import type {MachineHyperv} from '../../machine/features.ts';
import {type Args, descriptor} from './args.ts';

/** KVM comes as a descriptor, for the pod has no device. TCG's buffer is bounded, or it grows with what the guest runs. */
export const acceleratorArgs = (machine: EffectiveMachine): Args =>
  machine.accelerator === 'kvm'
    ? [
        '-add-fd',
        `fd=${descriptor('kvm')},set=1,opaque=kvm`,
        '-accel',
        'kvm,device=/dev/fdset/1',
        '-cpu',
        [machine.cpu.model ?? 'host', ...features(machine), ...kvmOptions(machine)].join(','),
      ]
    : ['-accel', 'tcg,thread=multi,tb-size=64', '-cpu', [machine.cpu.model ?? 'max', ...emulated(machine)].join(',')];

/**
 * Never `enforce`: models have bits outside of CPUID that no label tells of, and a guest without one of them runs. With KVM
 * the pod is on a node that has the model and what is required; with TCG the operator has said what is missing.
 */
const features = ({cpu}: EffectiveMachine): readonly string[] => cpu.features.map(({name, on}) => option(name, on));

const option = (name: string, on: boolean): string => `${name}=${on ? 'on' : 'off'}`;

/** Five-level paging is off because TCG walks the fifth level as slowly as the others. */
const emulated = (machine: EffectiveMachine): readonly string[] => [
  ...(machine.cpu.features.some(({name}) => name === 'la57') ? [] : ['-la57']),
  ...features(machine),
];

/** What there is in a guest because KVM runs it; emulation would take these words and do nothing. */
const kvmOptions = ({features: {kvmHidden, pvSpinlock, endOfInterrupt, hyperv}, clock: {timers}}: EffectiveMachine) => {
  const kvmClock = timers.kvm === undefined ? undefined : timers.kvm.present !== false;
  return [
    ...(kvmHidden ? ['kvm=off'] : []),
    ...(pvSpinlock === undefined ? [] : [option('kvm-pv-unhalt', pvSpinlock)]),
    ...(endOfInterrupt ? [option('kvm-pv-eoi', true)] : []),
    ...(kvmClock === undefined ? [] : [option('kvmclock', kvmClock)]),
    ...hypervOptions(hyperv, timers.hyperv !== undefined && timers.hyperv.present !== false),
  ];
};

/** QEMU's name of each switch. The rest have values. */
const hypervSwitches: readonly (readonly [HypervFeature, string])[] = [
  ['relaxed', 'hv-relaxed'],
  ['vapic', 'hv-vapic'],
  ['vpindex', 'hv-vpindex'],
  ['runtime', 'hv-runtime'],
  ['synic', 'hv-synic'],
  ['synictimer', 'hv-stimer'],
  ['synictimer.direct', 'hv-stimer-direct'],
  ['reset', 'hv-reset'],
  ['frequencies', 'hv-frequencies'],
  ['reenlightenment', 'hv-reenlightenment'],
  ['tlbflush', 'hv-tlbflush'],
  ['tlbflush.direct', 'hv-tlbflush-direct'],
  ['tlbflush.extended', 'hv-tlbflush-ext'],
  ['ipi', 'hv-ipi'],
  ['evmcs', 'hv-evmcs'],
];

/** The synthetic timers count by the reference clock, so they bring it. */
const hypervOptions = (
  {passthrough, features: on, spinlockRetries, vendorId}: MachineHyperv,
  clock: boolean,
): readonly string[] => [
  ...(passthrough ? [option('hv-passthrough', true)] : []),
  ...(clock || on.has('synictimer') ? [option('hv-time', true)] : []),
  ...hypervSwitches.filter(([feature]) => on.has(feature)).map(([, name]) => option(name, true)),
  ...(on.has('spinlocks') ? [`hv-spinlocks=${spinlockRetries}`] : []),
  ...(on.has('vendorid') && vendorId !== '' ? [`hv-vendor-id=${vendorId}`] : []),
];
