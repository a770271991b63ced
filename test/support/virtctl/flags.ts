const withPvc = ['--volume-pvc=src:data'];
/** What virtctl does of itself for a volume that may carry labels. */
const noInference = ['--infer-instancetype=false', '--infer-preference=false'];
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const imported = (parameters: string): readonly string[] => [`--volume-import=${parameters}`, ...noInference];

/** The file that `--password-file` reads; the caller makes it. */
export const passwordFile = 'password';

/** Calls of `virtctl create vm` as a person would make them, every flag of it and every kind of volume among them. */
export const flagCases: readonly (readonly string[])[] = [
  [],
  ['--name=web'],
  ...['Always', 'Halted', 'Manual', 'RerunOnFailure', 'Once'].map(strategy => [`--run-strategy=${strategy}`]),
  ['--termination-grace-period=5'],
  ['--memory=1Gi'],

  ['--instancetype=u1.small'],
  ['--instancetype=virtualmachineinstancetype/small'],
  ['--preference=fedora'],
  withPvc,
  [...withPvc, ...noInference],
  [...withPvc, '--infer-instancetype=true', '--infer-preference=false'],
  [...withPvc, '--infer-instancetype=false', '--infer-preference=true'],
  [...withPvc, '--infer-instancetype-from=data', '--infer-preference=false'],
  [...withPvc, '--infer-instancetype=false', '--infer-preference-from=data'],

  ['--volume-containerdisk=src:registry.example/disk:1'],
  ['--volume-containerdisk=src:registry.example/disk:1,name:root,bootorder:1'],
  ['--volume-pvc=src:data,name:root,bootorder:1', ...noInference],
  ['--volume-sysprep=src:answers,type:configmap'],
  ['--volume-sysprep=src:answers,type:secret'],

  imported('type:blank,size:1Gi'),
  imported('type:gcs,url:gs://bucket/disk,size:1Gi'),
  imported('type:http,url:https://files.example/disk.qcow2,size:1Gi'),
  imported('type:imageio,url:https://engine.example,diskid:1,secretref:login,certconfigmap:ca,size:1Gi'),
  imported('type:pvc,src:default/data,size:1Gi'),
  imported('type:registry,url:docker://registry.example/disk:1,size:1Gi'),
  imported('type:s3,url:https://s3.example/bucket/disk,size:1Gi'),
  imported('type:vddk,url:https://vcenter.example,uuid:1,backingfile:disk,thumbprint:aa,secretref:login,size:1Gi'),
  imported('type:snapshot,src:default/snapshot,size:1Gi'),
  imported('type:ds,src:default/fedora,size:1Gi'),
  ['--volume-datasource=src:default/fedora', ...noInference],
  ['--volume-clone-pvc=src:default/data', ...noInference],
  ['--volume-blank=size:1Gi'],

  ['--user=cloud'],
  ['--user=cloud', `--password-file=${passwordFile}`],
  ['--user=cloud', '--ssh-key=ssh-ed25519 AAAA'],
  ['--user=cloud', '--ga-manage-ssh'],
  ['--cloud-init=none'],
  ['--cloud-init=nocloud', '--user=cloud'],
  ['--cloud-init=configdrive', '--user=cloud'],
  [`--cloud-init-user-data=${base64('#cloud-config\n')}`],
  [`--cloud-init-network-data=${base64('version: 2\n')}`],
  ['--access-cred=type:ssh,src:keys,user:cloud'],
  ['--access-cred=type:ssh,src:keys,method:nocloud'],
  ['--access-cred=type:ssh,src:keys,method:configdrive', '--cloud-init=configdrive'],
  ['--access-cred=type:password,src:passwords'],
];
