import {annotationPolicy} from '../../scripts/generate/annotation-policy.ts';
import {apply, post, type AdminAccess} from './control-plane/admin.ts';
import {anInstance, set} from './crds.ts';
import {eventually} from './eventually.ts';

const instances = '/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances';

/** Installs the chart's policy about annotations, and waits until it refuses one. The definitions are installed before. */
export const installAnnotationPolicy = async (admin: AdminAccess): Promise<void> => {
  for (const object of annotationPolicy) {
    const {kind, metadata} = object as {kind: string; metadata: {name: string}};
    const plural = kind.endsWith('Binding') ? 'validatingadmissionpolicybindings' : 'validatingadmissionpolicies';
    const path = `/apis/admissionregistration.k8s.io/v1/${plural}/${metadata.name}`;
    const {status, body} = await apply(admin, path, object);
    if (status >= 300) throw new Error(`${kind} ${metadata.name} was refused: ${JSON.stringify(body)}`);
  }
  const hooked = set(anInstance('probe'), 'metadata.annotations', {'hooks.kubevirt.io/hookSidecars': 'x'});
  await eventually(
    async () => {
      const {status} = await post(admin, `${instances}?dryRun=All`, hooked);
      if (status !== 403) throw new Error(`the policy about annotations is not in force yet: ${status}`);
    },
    {timeoutMs: 30_000},
  );
};
