import {Annotation, Label, podNameOf} from '@wherry/api';
import {expect, test} from '@jest/globals';
import {anInstance, config, runners} from '../testing/fixtures.ts';
import {renderPod} from './render.ts';

const render = (overrides: Parameters<typeof anInstance>[0] = {}, runner: keyof typeof runners = 'kvm') =>
  renderPod(anInstance(overrides), runners[runner], config, new Map());
const computeOf = (pod: ReturnType<typeof render>) => pod.spec?.containers[0];

test('the name follows from the instance’s uid, so one run has one pod', () => {
  expect(render().metadata?.name).toBe(podNameOf('web', 'vmi-uid'));
  expect(render({metadata: {uid: 'other'}}).metadata?.name).not.toBe(render().metadata?.name);
});

test('the instance is its controller', () => {
  expect(render().metadata?.ownerReferences).toEqual([
    {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachineInstance',
      name: 'web',
      uid: 'vmi-uid',
      controller: true,
      blockOwnerDeletion: true,
    },
  ]);
});

test('it carries KubeVirt’s labels over the user’s, which cannot take them over', () => {
  const {metadata} = render({metadata: {labels: {app: 'web', [Label.createdBy]: 'someone', [Label.app]: 'x'}}});
  expect(metadata?.labels).toEqual({
    app: 'web',
    'kubevirt.io': 'virt-launcher',
    'kubevirt.io/created-by': 'vmi-uid',
    'vm.kubevirt.io/name': 'web',
    'vmi.kubevirt.io/id': 'web',
  });
});

test('the user’s annotations go on to the pod, kubectl’s own do not', () => {
  const annotations = {note: 'mine', 'kubectl.kubernetes.io/last-applied-configuration': '{}'};
  expect(render({metadata: {annotations}}).metadata?.annotations).toEqual({
    note: 'mine',
    [Annotation.domain]: 'web',
    'kubectl.kubernetes.io/default-container': 'compute',
    [Annotation.accelerator]: 'kvm',
    [Annotation.engine]: 'qemu',
    [Annotation.engineReason]: 'a test',
  });
});

test('it holds no privilege at all', () => {
  const {spec} = render();
  expect(spec?.securityContext).toMatchObject({
    runAsNonRoot: true,
    runAsUser: 107,
    runAsGroup: 107,
    fsGroup: 107,
    seccompProfile: {type: 'RuntimeDefault'},
  });
  expect(spec?.containers).toHaveLength(1);
  expect(spec?.containers[0]?.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    capabilities: {drop: ['ALL']},
    readOnlyRootFilesystem: true,
  });
  expect(spec?.automountServiceAccountToken).toBe(false);
  expect(spec?.enableServiceLinks).toBe(false);
  expect(spec?.volumes?.some(volume => 'hostPath' in volume)).toBe(false);
});

test('it runs the launcher once, with the run’s identity and the console on its terminal', () => {
  const pod = render();
  expect(pod.spec?.restartPolicy).toBe('Never');
  expect(computeOf(pod)).toMatchObject({
    name: 'compute',
    image: 'wherry/launcher:test',
    imagePullPolicy: 'IfNotPresent',
    command: ['/usr/bin/wherry-launcher'],
    env: [
      {name: 'WHERRY_VMI_UID', value: 'vmi-uid'},
      {name: 'WHERRY_VMI_NAME', value: 'web'},
    ],
    stdin: true,
    tty: true,
    terminationMessagePath: '/dev/termination-log',
  });
});

test('the pod outlasts the guest’s grace period by 15 s', () => {
  expect(render({spec: {terminationGracePeriodSeconds: 180}}).spec?.terminationGracePeriodSeconds).toBe(195);
});

test('it goes only to nodes whose daemon is ready, and under KVM only to nodes that have one', () => {
  expect(render({spec: {nodeSelector: {zone: 'a'}}}).spec?.nodeSelector).toEqual({
    zone: 'a',
    'kubevirt.io/schedulable': 'true',
    'wherry.dev/kvm': 'usable',
  });
  const emulated = render({}, 'tcg');
  expect(emulated.spec?.nodeSelector).toEqual({'kubevirt.io/schedulable': 'true'});
  expect(emulated.metadata?.annotations).toHaveProperty([Annotation.accelerator], 'tcg');
});

test('for the native engine it goes only to nodes that have it in the version of the operator, and says so itself', () => {
  const annotations = {[Annotation.engine]: 'auto'};
  const {spec, metadata} = render({metadata: {annotations}, spec: {nodeSelector: {zone: 'a'}}}, 'native');
  expect(spec?.nodeSelector).toEqual({
    zone: 'a',
    'kubevirt.io/schedulable': 'true',
    'wherry.dev/kvm': 'usable',
    'wherry.dev/native-matrix': '1',
  });
  expect(metadata?.annotations).toMatchObject({'wherry.dev/engine': 'native', 'wherry.dev/engine-reason': 'a test'});
});

test('placement and host name are the instance’s', () => {
  const tolerations = [{key: 'dedicated', operator: 'Exists' as const}];
  const affinity = {podAntiAffinity: {}};
  expect(render({spec: {tolerations, affinity, hostname: 'db'}}).spec).toMatchObject({
    tolerations,
    affinity,
    hostname: 'db',
  });
  expect(render().spec?.hostname).toBe('web');
});

test('declared ports of the guest are ports of the container', () => {
  const pod = render({
    spec: {
      domain: {
        memory: {guest: '256Mi'},
        devices: {
          interfaces: [
            {name: 'default', model: 'virtio', masquerade: {}, ports: [{name: 'http', protocol: 'TCP', port: 80}]},
          ],
        },
      },
    },
  });
  expect(computeOf(pod)?.ports).toEqual([{name: 'http', protocol: 'TCP', containerPort: 80}]);
});

test('rendering twice gives the same pod', () => {
  expect(render()).toEqual(render());
});

test('the pod runs as the account whose token the guest is given, and mounts no token beside it', () => {
  const volumes = [{name: 'token', serviceAccount: {serviceAccountName: 'robot'}}];
  const {spec} = renderPod(anInstance({spec: {volumes}}), runners.tcg, config, new Map());
  expect(spec).toMatchObject({serviceAccountName: 'robot', automountServiceAccountToken: false});
  expect(renderPod(anInstance(), runners.tcg, config, new Map()).spec).not.toHaveProperty('serviceAccountName');
});
