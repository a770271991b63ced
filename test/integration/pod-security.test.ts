/** Pods of guests before the admission of Pod Security itself, of which the profile `restricted` asks the most. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {type InstanceSpec, parseConfig} from '@wherry/api';
import type {PersistentVolumeClaim} from '@wherry/kube';
import {type Instance, renderPod} from '@wherry/operator';
import {parse, parseAllDocuments} from 'yaml';
import {chart, helmAlone} from '../support/chart.ts';
import {post} from '../support/control-plane/admin.ts';
import {type ControlPlane, startControlPlane} from '../support/control-plane.ts';
import {crdFolder} from '../support/crds.ts';
import {eventually} from '../support/eventually.ts';

let control: ControlPlane;
beforeAll(async () => {
  control = await startControlPlane();
  for (const level of ['restricted', 'baseline', 'privileged']) {
    const labels = {'pod-security.kubernetes.io/enforce': level};
    await post(control.admin, '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {name: level, labels},
    });
  }
  // Admission learns of a namespace a moment after it is there.
  const careless = {containers: [{name: 'c', image: 'i', securityContext: {privileged: true}}]};
  for (const level of ['restricted', 'baseline'])
    await eventually(async () =>
      expect(await admitted({spec: careless}, level)).toMatch(/^403 .*violates PodSecurity/),
    );
}, 60_000);
afterAll(() => control?.stop());

/** `yes`, or what the API server says against the pod. */
const admitted = async (pod: {spec?: object}, level: string): Promise<string> => {
  const {status, body} = await post(control.admin, `/api/v1/namespaces/${level}/pods?dryRun=All`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {name: 'pod'},
    spec: pod.spec,
  });
  return status === 201 ? 'yes' : `${status} ${(body as {message: string}).message}`;
};

type Volume = NonNullable<InstanceSpec['volumes']>[number];

/** One volume of every kind. */
const volumes: readonly Volume[] = [
  {name: 'a', containerDisk: {image: 'disk:1', imagePullSecret: 'registry'}},
  {name: 'b', persistentVolumeClaim: {claimName: 'files'}},
  {name: 'c', ephemeral: {persistentVolumeClaim: {claimName: 'files'}}},
  {name: 'd', emptyDisk: {capacity: '1Gi'}},
  {name: 'e', cloudInitNoCloud: {secretRef: {name: 's'}, networkDataSecretRef: {name: 'n'}}},
  {name: 'f', cloudInitConfigDrive: {secretRef: {name: 's'}}},
  {name: 'g', configMap: {name: 'c'}},
  {name: 'h', secret: {secretName: 's'}},
  {name: 'i', downwardAPI: {fields: [{path: 'labels', fieldRef: {fieldPath: 'metadata.labels'}}]}},
  {name: 'j', serviceAccount: {serviceAccountName: 'guest'}},
  {name: 'k', sysprep: {configMap: {name: 'c'}}},
  {name: 'l', sysprep: {secret: {name: 's'}}},
];

const domain = {memory: {guest: '128Mi'}, devices: {}};
const withVolumes = (...list: readonly Volume[]): object => ({
  domain: {...domain, devices: {disks: list.map(({name}) => ({name, disk: {bus: 'virtio' as const}}))}},
  volumes: list,
});

/** Everything of a spec that shapes the pod. */
const shapes: readonly (readonly [what: string, spec: object])[] = [
  ['nothing but a guest', {}],
  ...volumes.map(volume => [`a volume: ${Object.keys(volume)[1]}`, withVolumes(volume)] as const),
  ['every volume at once', withVolumes(...volumes)],
  ['a claim in block mode', withVolumes({name: 'raw', persistentVolumeClaim: {claimName: 'block'}})],
  [
    'an ephemeral disk on a block device',
    withVolumes({name: 'x', ephemeral: {persistentVolumeClaim: {claimName: 'block'}}}),
  ],
  [
    'a kernel from an image',
    {domain: {...domain, firmware: {kernelBoot: {container: {image: 'kernel:1', kernelPath: '/k', initrdPath: '/i'}}}}},
  ],
  [
    'probes and ports',
    {
      domain: {
        ...domain,
        devices: {interfaces: [{name: 'default', masquerade: {}, ports: [{name: 'http', protocol: 'TCP', port: 80}]}]},
      },
      networks: [{name: 'default', pod: {}}],
      readinessProbe: {tcpSocket: {port: 80}},
      livenessProbe: {httpGet: {port: 80, path: '/'}},
    },
  ],
  [
    'requests, limits and placement',
    {
      domain: {...domain, resources: {requests: {memory: '256Mi', cpu: '1'}, limits: {memory: '1Gi', cpu: '2'}}},
      nodeSelector: {zone: 'a'},
      tolerations: [{operator: 'Exists'}],
      schedulerName: 'other',
    },
  ],
  ['names', {hostname: 'h', subdomain: 's', dnsPolicy: 'None', dnsConfig: {nameservers: ['10.0.0.1']}}],
];

const render = (spec: object, accelerator: 'kvm' | 'tcg') => {
  const vmi = {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: {name: 'guest', namespace: 'default', uid: 'uid', resourceVersion: '1'},
    spec: {domain, terminationGracePeriodSeconds: 30, ...spec},
  } as unknown as Instance;
  const block = {spec: {volumeMode: 'Block'}} as PersistentVolumeClaim;
  return renderPod(
    vmi,
    {accelerator, engine: 'qemu', reason: 'a test'},
    parseConfig('{"launcherImage": "wherry/launcher:test"}'),
    new Map([['block', block]]),
  );
};

describe('the pod of a guest is admitted under restricted, with', () => {
  test.each(shapes)('%s', async (_what, spec) => {
    for (const accelerator of ['kvm', 'tcg'] as const)
      expect(await admitted(render(spec, accelerator), 'restricted')).toBe('yes');
  });

  test('every kind of volume that the API takes', async () => {
    interface Crd {
      spec: {versions: [{schema: {openAPIV3Schema: {properties: {spec: {properties: {volumes: Volumes}}}}}}]};
    }
    interface Volumes {
      items: {properties: Record<string, object>};
    }
    const crd = parse(await readFile(join(crdFolder, 'virtualmachineinstances.yaml'), 'utf8')) as Crd;
    const {properties} = crd.spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.volumes.items;
    // A body that is refused is opaque.
    const taken = Object.keys(properties).filter(
      name => name !== 'name' && !('x-kubernetes-preserve-unknown-fields' in properties[name]!),
    );
    expect(taken.length).toBeGreaterThan(8);
    expect(new Set(volumes.map(volume => Object.keys(volume)[1]))).toEqual(new Set(taken));
  });
});

interface Templates {
  kind: string;
  metadata: {name: string};
  spec: {template?: {spec: object}};
}

describe('of the chart’s own pods', () => {
  let templates: readonly Templates[];
  beforeAll(async () => {
    const text = await helmAlone('template', 'wherry', chart);
    templates = parseAllDocuments(text)
      .map(one => one.toJS() as Templates | null)
      .filter(one => one !== null && ['Deployment', 'DaemonSet', 'Job', 'Pod'].includes(one.kind)) as Templates[];
  });

  test('all but the node-daemon are admitted under restricted, which is privileged', async () => {
    const levels = await Promise.all(
      templates.map(async ({kind, metadata: {name}, spec}) => {
        // Admission of priorities wants the classes of a whole cluster.
        const {priorityClassName: _, ...pod} = (spec.template?.spec ?? spec) as {priorityClassName?: string};
        for (const level of ['restricted', 'baseline', 'privileged'])
          if ((await admitted({spec: {restartPolicy: kind === 'Job' ? 'Never' : 'Always', ...pod}}, level)) === 'yes')
            return `${name}: ${level}`;
        return `${name}: refused`;
      }),
    );
    expect(new Set(levels)).toEqual(
      new Set([
        'wherry-node-daemon: privileged',
        'wherry-operator: restricted',
        'wherry-test: restricted',
        'wherry-uninstall: restricted',
      ]),
    );
  });
});
