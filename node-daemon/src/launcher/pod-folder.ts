import {PodLayout} from '@wherry/api';
import {type Dir, type Host, isNativeError} from '@wherry/native';

/** Where the kubelet keeps the pod's sockets volume, below the pod's own folder. */
const SOCKETS = `volumes/kubernetes.io~empty-dir/${PodLayout.socketsVolume}`;

const UID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The pod's sockets folder, or undefined when the kubelet has removed it, which it does only when all containers of the
 * pod have ended. The pod owns what is inside, so no link is followed on the way.
 * @param pods the kubelet's folder of pods
 * @throws NativeError Escapes, WrongType: the pod has put something else there
 */
export const openPodFolder = (host: Host, pods: string, podUid: string): Dir | undefined => {
  // The uid comes from an API object's status and becomes a path.
  if (!UID.test(podUid)) return undefined;
  using root = host.openDir(pods);
  try {
    return root.open(`${podUid}/${SOCKETS}`);
  } catch (error) {
    if (isNativeError(error, 'NotFound')) return undefined;
    throw error;
  }
};
