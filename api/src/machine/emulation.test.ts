import {expect, test} from '@jest/globals';
import type {Domain} from '../v1/domain.ts';
import {lostUnderEmulation, requiredButNotEmulated} from './emulation.ts';

type Asked = Pick<Domain, 'clock' | 'cpu' | 'features'>;

test.each<[string, Asked, readonly string[]]>([
  ['nothing', {}, []],
  ['the default CPU', {cpu: {model: ''}}, []],
  ['the CPU of the node by name', {cpu: {model: 'host-passthrough'}}, ['the CPU of the node']],
  ['a model that is emulated whole', {cpu: {model: 'Nehalem'}}, []],
  ['a model with more', {cpu: {model: 'Haswell-noTSX'}}, ['invpcid, pcid, tsc-deadline of the CPU Haswell-noTSX']],
  [
    'a model without what is missing',
    {
      cpu: {
        model: 'Haswell-noTSX',
        features: ['invpcid', 'pcid', 'tsc-deadline'].map(name => ({name, policy: 'disable'})),
      },
    },
    [],
  ],
  [
    'features',
    {cpu: {features: [{name: 'pcid', policy: 'optional'}, {name: 'avx512f', policy: 'force'}, {name: 'avx2'}]}},
    ['the CPU features pcid, avx512f'],
  ],
  [
    "Hyper-V, and KVM's own",
    {
      features: {hyperv: {relaxed: {}}, pvspinlock: {}},
      clock: {timer: {kvm: {}, hyperv: {}, pit: {tickPolicy: 'discard'}}},
    },
    [
      'features of Hyper-V',
      'spinlocks of KVM',
      "KVM's clock",
      "Hyper-V's clock",
      'discarded ticks of the interval timer',
    ],
  ],
  [
    'all of that switched off',
    {
      features: {
        hyperv: {relaxed: {enabled: false}},
        pvspinlock: {enabled: false},
        hypervPassthrough: {enabled: false},
      },
      clock: {timer: {kvm: {present: false}, hyperv: {present: false}, pit: {}}},
    },
    [],
  ],
])('a guest that asks for %s starts without what emulation lacks of it', (_what, asked, lost) => {
  expect(lostUnderEmulation(asked)).toEqual(lost);
});

test('what is required and not emulated is named', () => {
  const features = [{name: 'avx2'}, {name: 'pcid'}, {name: 'avx512f', policy: 'force' as const}];
  expect(requiredButNotEmulated({cpu: {features}})).toEqual(['pcid']);
  expect(requiredButNotEmulated({features: {hyperv: {evmcs: {}}}})).toEqual(['vmx']);
});
