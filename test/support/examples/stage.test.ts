import {expect, test} from '@jest/globals';
import type {E2eEnvironment} from '../guests.ts';
import type {AnyObject, Example} from './manifests.ts';
import {claimsOf, filledClaim, staged} from './stage.ts';

const env = {
  images: {tiny: 'tiny:1', tinyDisk: 'disk:1', debian: 'debian:1', launcher: 'launcher:1'},
} as unknown as E2eEnvironment;

const example = (image: string): Example => ({
  file: 'a.yaml',
  text: `---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {image: "${image}", kernelPath: /boot/vmlinuz-virt}\n`,
  objects: [],
});

test("our images stand in for KubeVirt's, and all else stays", () => {
  const [object] = staged(example('registry:5000/kubevirt/cirros-container-disk-demo:devel'), env);
  expect(object).toEqual({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {name: 'a'},
    spec: {image: 'disk:1', kernelPath: '/boot/vmlinux'},
  });
});

test('an image that nothing stands in for is an error that names the manifest', () => {
  expect(() => staged(example('registry:5000/kubevirt/windows:devel'), env)).toThrow('one of a.yaml');
});

const volumes = [
  {name: 'a', persistentVolumeClaim: {claimName: 'data'}},
  {name: 'b', emptyDisk: {capacity: '1Gi'}},
];
const named = {apiVersion: 'kubevirt.io/v1', kind: 'any', metadata: {name: 'a'}};

test('claims are found in an instance, and in the template of a machine', () => {
  expect(claimsOf({...named, spec: {volumes}})).toEqual(['data']);
  expect(claimsOf({...named, spec: {template: {spec: {volumes}}}})).toEqual(['data']);
  expect(claimsOf({...named, spec: {}})).toEqual([]);
});

test('a claim is filled by a pod that the strictest namespace admits', () => {
  const [claim, pod] = filledClaim('data', env) as AnyObject[];
  expect(claim!.metadata.name).toBe('data');
  expect(pod!.spec).toMatchObject({
    securityContext: {runAsNonRoot: true, seccompProfile: {type: 'RuntimeDefault'}},
    containers: [
      {image: 'launcher:1', securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: ['ALL']}}},
    ],
    volumes: [{image: {reference: 'disk:1'}}, {persistentVolumeClaim: {claimName: 'data'}}],
  });
});
