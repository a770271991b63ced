import {parseAllDocuments} from 'yaml';
import type {E2eEnvironment} from '../guests.ts';
import type {AnyObject, Example} from './manifests.ts';

/** Whose images stand in for KubeVirt's, which cannot be had everywhere. The paths of a kernel are those of the image. */
const standIns = ({images}: E2eEnvironment): Readonly<Record<string, string>> => ({
  'registry:5000/kubevirt/cirros-container-disk-demo:devel': images.tinyDisk,
  'registry:5000/kubevirt/alpine-container-disk-demo:devel': images.tinyDisk,
  'registry:5000/kubevirt/fedora-with-test-tooling-container-disk:devel': images.tinyDisk,
  'registry:5000/kubevirt/alpine-ext-kernel-boot-demo:devel': images.tiny,
  '/boot/vmlinuz-virt': '/boot/vmlinux',
  '/boot/initramfs-virt': '/boot/initrd',
});

/** The objects of a manifest with our images in place of KubeVirt's, and nothing else changed. */
export const staged = (example: Example, env: E2eEnvironment): readonly AnyObject[] => {
  const text = Object.entries(standIns(env)).reduce(
    (text, [theirs, ours]) => text.replaceAll(theirs, ours),
    example.text,
  );
  if (text.includes('registry:5000')) throw new Error(`no image stands in for one of ${example.file}`);
  return parseAllDocuments(text)
    .map(document => document.toJS() as AnyObject | null)
    .filter(object => object !== null);
};

interface Volumes {
  readonly volumes?: readonly {readonly persistentVolumeClaim?: {readonly claimName: string}}[];
}

/** Names of the claims that a machine or an instance takes as there. */
export const claimsOf = ({spec}: AnyObject): readonly string[] => {
  const {volumes = []} = ((spec as {template?: {spec?: Volumes}}).template?.spec ?? spec) as Volumes;
  return volumes.flatMap(({persistentVolumeClaim}) => persistentVolumeClaim?.claimName ?? []);
};

/** A claim, and a pod that puts the tiny guest's disk on it: what a person does who brings a disk along. */
export const filledClaim = (name: string, {images}: E2eEnvironment): readonly object[] => [
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {name},
    spec: {accessModes: ['ReadWriteOnce'], resources: {requests: {storage: '128Mi'}}},
  },
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {name: `fill-${name}`},
    spec: {
      restartPolicy: 'Never',
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 107,
        runAsGroup: 107,
        fsGroup: 107,
        seccompProfile: {type: 'RuntimeDefault'},
      },
      containers: [
        {
          name: 'copy',
          image: images.launcher,
          command: ['/usr/bin/qemu-img', 'convert', '-O', 'raw', '/image/disk/tiny.qcow2', '/claim/disk.img'],
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: ['ALL']}},
          volumeMounts: [
            {name: 'image', mountPath: '/image', readOnly: true},
            {name: 'claim', mountPath: '/claim'},
          ],
        },
      ],
      volumes: [
        {name: 'image', image: {reference: images.tinyDisk}},
        {name: 'claim', persistentVolumeClaim: {claimName: name}},
      ],
    },
  },
];
