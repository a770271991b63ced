import {expect, test} from '@jest/globals';
import {kindConfig} from './kind-config.ts';

interface Config {
  nodes: {role: string}[];
  kubeadmConfigPatches: string[];
}
const config = (cgroupVersion: 1 | 2): Config =>
  JSON.parse(kindConfig({name: 'wherry', workers: 1, cgroupVersion})) as Config;

test('asks for one control plane and the workers', () => {
  expect(config(2).nodes.map(node => node.role)).toEqual(['control-plane', 'worker']);
});

test('lets the kubelet start on cgroup v1', () => {
  expect(config(1).kubeadmConfigPatches.map(patch => JSON.parse(patch) as unknown)).toEqual([
    expect.objectContaining({kind: 'KubeletConfiguration', failCgroupV1: false}),
  ]);
});

test('leaves the kubelet as it is on cgroup v2', () => {
  expect(config(2).kubeadmConfigPatches).toEqual([]);
});
