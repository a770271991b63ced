import type {VolumeStatus} from '@wherry/api';
import type {PersistentVolumeClaim} from '@wherry/kube';
import type {Instance} from '../objects.ts';
import {sameJson} from '../status-patch.ts';
import {claimNameOf} from './world.ts';

/**
 * `status.volumeStatus` with one entry for each volume of the spec, in its order. The claim's facts are ours; device
 * names, sizes and whatever else stands in an entry are the daemon's and stay.
 */
export const volumeStatuses = (
  vmi: Instance,
  claims: ReadonlyMap<string, PersistentVolumeClaim>,
): readonly VolumeStatus[] | undefined => {
  const volumes = vmi.spec.volumes ?? [];
  const before = vmi.status?.volumeStatus;
  const next = volumes.map((volume): VolumeStatus => {
    const {name} = volume;
    const known = before?.find(status => status.name === name) ?? {name, target: ''};
    const claim = claims.get(claimNameOf(volume) ?? '');
    return claim === undefined
      ? known
      : {...known, persistentVolumeClaimInfo: {...known.persistentVolumeClaimInfo, ...claimInfo(claim)}};
  });
  if (next.length === 0 || sameJson(before, next)) return before;
  return next;
};

type ClaimInfo = NonNullable<VolumeStatus['persistentVolumeClaimInfo']>;

const claimInfo = ({metadata, spec, status}: PersistentVolumeClaim): ClaimInfo => ({
  ...(metadata?.name === undefined ? {} : {claimName: metadata.name}),
  ...(spec?.accessModes === undefined ? {} : {accessModes: spec.accessModes}),
  ...(status?.capacity === undefined ? {} : {capacity: status.capacity}),
  ...(spec?.resources?.requests === undefined ? {} : {requests: spec.resources.requests}),
  volumeMode: spec?.volumeMode === 'Block' ? 'Block' : 'Filesystem',
  ...(isPreallocated(metadata?.annotations) ? {preallocated: true} : {}),
});

/** Importers say so: CDI by the first, others by the second, each behind a prefix of its own. */
const preallocationMarks = ['storage.preallocation', 'storage.thick-provisioned'];

const isPreallocated = (annotations: Readonly<Record<string, string>> | undefined): boolean =>
  Object.entries(annotations ?? {}).some(
    ([name, value]) => value === 'true' && preallocationMarks.some(mark => name.endsWith(`/${mark}`)),
  );
