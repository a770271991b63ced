import {join} from 'node:path';
import {repository} from '../../scripts/core/paths.ts';
import {apply, type Answer} from './control-plane/admin.ts';
import type {ControlPlane} from './control-plane.ts';

export const crdFolder = join(repository, 'crds');

type Json = Record<string, unknown>;

/** Sets the value at a path of keys and indices, making objects on the way: `spec.volumes.0.name`. */
export const set = (object: object, path: string, value: unknown): object => {
  const copy = structuredClone(object);
  const steps = path.split('.');
  const last = steps.pop()!;
  let at = copy as Json;
  for (const step of steps) {
    at = (at[step] ??= {}) as Json;
  }
  if (value === undefined) {
    delete at[last];
  } else {
    at[last] = value;
  }
  return copy;
};

const machine = {cpu: {cores: 1}, memory: {guest: '128Mi'}, devices: {}};

export const anInstance = (name: string): object => ({
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachineInstance',
  metadata: {name, namespace: 'default'},
  spec: {domain: machine},
});

export const aMachine = (name: string): object => ({
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachine',
  metadata: {name, namespace: 'default'},
  spec: {runStrategy: 'Halted', template: {spec: {domain: machine}}},
});

interface Named {
  readonly kind: string;
  readonly metadata: {readonly name: string};
}

export const pathOf = (object: object): string => {
  const {kind, metadata} = object as Named;
  return `/apis/kubevirt.io/v1/namespaces/default/${kind.toLowerCase()}s/${metadata.name}`;
};

/** Creates or changes the object by server-side apply, its status where `subresource` says so. */
export const send = (control: ControlPlane, object: object, subresource = ''): Promise<Answer> =>
  apply(control.admin, `${pathOf(object)}${subresource}`, object);

export interface Cause {
  readonly field: string;
  readonly message: string;
}

/** Why the API server refused, field by field; empty where it did not. */
export const causes = (answer: Answer): readonly Cause[] =>
  answer.status < 300 ? [] : ((answer.body as {details?: {causes?: readonly Cause[]}}).details?.causes ?? []);
