import {instanceRefusals} from '@wherry/api';
import {type Client, defineResource, type KubeObject} from '@wherry/kube';
import {instances, machines} from '@wherry/operator';
import {eventually} from '../../support/eventually.ts';
import {set} from '../../support/crds.ts';
import {aVm} from './stage.ts';

interface Definition extends KubeObject {
  readonly spec: {readonly versions: readonly object[]};
}

const definitions = defineResource<Definition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
});

const bindings = defineResource<KubeObject>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingadmissionpolicybindings',
  kind: 'ValidatingAdmissionPolicyBinding',
  namespaced: false,
});

const policy = 'wherry-annotations';

/** Where a field of an instance's spec stands in the schema of each kind. */
const schemas: Readonly<Record<string, string>> = {
  [machines.plural]: 'schema.openAPIV3Schema.properties.spec.properties.template.properties.spec',
  [instances.plural]: 'schema.openAPIV3Schema.properties.spec',
};

const versionOf = async (client: Client, plural: string): Promise<object> => {
  const definition = await client.get(definitions, {name: `${plural}.kubevirt.io`});
  return definition!.spec.versions[0]!;
};

const serve = (client: Client, plural: string, version: object): Promise<unknown> =>
  client.jsonPatch(definitions, {name: `${plural}.kubevirt.io`}, [
    {op: 'replace', path: '/spec/versions/0', value: version},
  ]);

/**
 * Does something on an API server of before: `field`, at the top of an instance's spec, was not refused yet, nor was any
 * annotation. Afterwards its rules are those of now.
 */
export const beforeTheRules = async (client: Client, field: string, work: () => Promise<void>): Promise<void> => {
  if (!(field in instanceRefusals)) throw new Error(`${field} is not refused at all`);
  const strict = await Promise.all(Object.keys(schemas).map(async one => [one, await versionOf(client, one)] as const));
  const binding = await client.get(bindings, {name: policy});
  await client.delete(bindings, {name: policy});
  for (const [plural, version] of strict) {
    const rules = `${schemas[plural]}.properties.${field}.x-kubernetes-validations`;
    await serve(client, plural, set(version, rules, undefined));
  }
  await work();
  for (const [plural, version] of strict) await serve(client, plural, version);
  const {resourceVersion: _version, uid: _uid, ...metadata} = binding!.metadata;
  await client.create(bindings, {...binding!, metadata});
  await untilRefused(client, {spec: {[field]: [{name: 'gpu'}]}});
  await untilRefused(client, {annotations: {'kubevirt.io/ignitiondata': '{}'}});
};

/** The API server compiles rules and policies a moment after they were written. */
const untilRefused = (client: Client, options: object): Promise<void> =>
  eventually(
    async () => {
      const vm = aVm('default', 'probe', {runStrategy: 'Halted', ...options});
      const made = await client.create(machines, vm as never).catch(() => undefined);
      if (made === undefined) return;
      await client.delete(machines, {namespace: 'default', name: 'probe'});
      throw new Error('what is refused is still taken');
    },
    {timeoutMs: 30_000, everyMs: 100},
  );
