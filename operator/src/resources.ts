import {GROUP, VERSION} from '@wherry/api';
import {defineResource} from '@wherry/kube';
import type {Instance, Machine} from './objects.ts';

export const machines = defineResource<Machine>({
  group: GROUP,
  version: VERSION,
  plural: 'virtualmachines',
  kind: 'VirtualMachine',
  namespaced: true,
});

export const instances = defineResource<Instance>({
  group: GROUP,
  version: VERSION,
  plural: 'virtualmachineinstances',
  kind: 'VirtualMachineInstance',
  namespaced: true,
});
