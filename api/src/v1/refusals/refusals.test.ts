import {expect, test} from '@jest/globals';
import {instanceRefusals, machineRefusals, refusedIn} from './index.ts';

test('every remedy is one sentence that goes on from its message', () => {
  for (const [path, {instead}] of Object.entries({...instanceRefusals, ...machineRefusals})) {
    expect([path, instead]).toEqual([path, expect.stringMatching(/^[a-z][^\n]{9,}[^.\s]$/)]);
  }
});

test('a spec of what is implemented holds nothing that is refused', () => {
  const spec = {domain: {memory: {guest: '1Gi'}, devices: {disks: [{name: 'root', disk: {bus: 'virtio'}}]}}};
  expect(refusedIn(spec)).toEqual([]);
  expect(refusedIn({runStrategy: 'Always', template: {spec}})).toEqual([]);
});

test('an instance is told every field that is refused, by its path below the spec', () => {
  const spec = {
    resourceClaims: [{name: 'gpu'}],
    domain: {devices: {interfaces: [{name: 'default', bridge: {}}], gpus: [{name: 'gpu'}]}},
  };
  expect(refusedIn(spec).map(message => message.split(' ')[0])).toEqual([
    'domain.devices.gpus',
    'domain.devices.interfaces[].bridge',
    'resourceClaims',
  ]);
});

test('a machine is told its own fields and those of its template', () => {
  const spec = {instancetype: {name: 'small'}, template: {spec: {domain: {devices: {tpm: {}}}}}};
  expect(refusedIn(spec)).toEqual([
    'instancetype is not supported: write its CPUs and memory into template.spec.domain (virtctl: --infer-instancetype=false)',
    'domain.devices.tpm is not supported: leave it out: there is no TPM, so use an image that does without',
  ]);
});

test('what KubeVirt writes into an exported object by default is not refused', () => {
  const spec = {
    architecture: 'amd64',
    evictionStrategy: 'None',
    domain: {
      cpu: {cores: 1, model: 'host-model'},
      machine: {type: 'q35'},
      features: {acpi: {enabled: true}},
      firmware: {uuid: '5d307ca9-b3ef-428c-8861-06e72d69f223'},
      clock: {utc: {}},
      devices: {interfaces: [{name: 'default', masquerade: {}, state: 'up'}]},
    },
  };
  expect(refusedIn(spec)).toEqual([]);
});
